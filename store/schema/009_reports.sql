-- What reports are counted of. Nothing else asks for it.

-- The events that are counted, in the order in which they happened.
CREATE INDEX events_report ON events (at, ticket) WHERE what IN ('answered', 'breached', 'status', 'time');
-- Calls and texts that came.
CREATE INDEX messages_phone ON messages (received, brand) WHERE direction = 'in' AND channel IN ('voice', 'sms', 'whatsapp');
-- Whom the desk asked, in the order of time over all brands.
CREATE INDEX surveys_asked_at ON surveys (asked, brand) WHERE asked > 0;
