-- The numbers of profiles that were there before. What is not written with a
-- country code cannot be compared; it is left to whoever saves the profile.
INSERT INTO phones (brand, number, person)
SELECT DISTINCT p.brand, replace(replace(replace(replace(replace(n.value, ' ', ''), '-', ''), '/', ''), '(', ''), ')', ''), p.id
FROM people p, json_each(CASE WHEN p.phones = '' THEN '[]' ELSE p.phones END) n
WHERE n.value LIKE '+%';
