UPDATE builds SET mail_owed = true, mail_due = o.due, mail_tries = o.tries FROM outbox AS o
    WHERE o.kind = 'build_failed' AND o.sent_at IS NULL AND o.given_up_at IS NULL
    AND builds.app_server_id = (o.payload ->> 'app_server_id')::bigint;
DROP TABLE outbox;
