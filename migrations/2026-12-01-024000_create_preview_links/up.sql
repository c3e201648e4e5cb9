-- Links that show a candidate to visitors of an instance's host names. The gateways know the tokens' hashes alone.
CREATE TABLE preview_links (
    id            BIGINT      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    app_server_id BIGINT      NOT NULL REFERENCES app_servers ON DELETE CASCADE,
    token_hash    BYTEA       NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
    created       TIMESTAMPTZ NOT NULL DEFAULT now(),
    created_by    TEXT        NOT NULL,
    ends_at       TIMESTAMPTZ NOT NULL,
    CHECK (ends_at > created),
    CHECK (ends_at <= created + interval '168 hours')
);
CREATE INDEX preview_links_of_app_server ON preview_links (app_server_id, id);
CREATE INDEX preview_links_ended ON preview_links (ends_at);
COMMENT ON TABLE preview_links IS 'Links by which visitors see an app server that is not active under the instance''s own host names. A row is deleted when its link is revoked or has ended.';
COMMENT ON COLUMN preview_links.id IS 'Given out once.';
COMMENT ON COLUMN preview_links.app_server_id IS 'The app server that the link shows.';
COMMENT ON COLUMN preview_links.token_hash IS 'SHA-256 of the token; the token itself is shown once and kept nowhere.';
COMMENT ON COLUMN preview_links.created IS 'When it was made.';
COMMENT ON COLUMN preview_links.created_by IS 'Who made it.';
COMMENT ON COLUMN preview_links.ends_at IS 'When gateways stop to accept it, at most 7 days after it was made.';

ALTER TABLE gateway_routes
    ADD COLUMN previews JSONB NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(previews) = 'array');
COMMENT ON COLUMN gateway_routes.previews IS 'The preview links that work for the host, as gateways get them: hash of the token, target, end and domain of the cookie.';
