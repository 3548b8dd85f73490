-- Who looks for the same content within a week looks into two stretches of
-- eight days, where by days there were nine: of a million messages each is a
-- page of its own to be read.
CREATE INDEX messages_stretch ON messages ((day / 8), content) WHERE content IS NOT NULL;
