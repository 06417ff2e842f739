-- What a record is called, so that a list of members or of groups reads no documents; and how many members a group
-- has, so that nobody counts them. The same columns as in ../../postgres.

ALTER TABLE resource ADD COLUMN display TEXT;
ALTER TABLE resource ADD COLUMN members BIGINT NOT NULL DEFAULT 0;
UPDATE resource SET
    display = coalesce(json_extract(document, '$.displayName'), json_extract(document, '$.userName')),
    members = (SELECT count(*) FROM group_member WHERE group_member.grp = resource.id);
