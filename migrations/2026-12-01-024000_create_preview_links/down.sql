ALTER TABLE gateway_routes DROP COLUMN previews;
DROP TABLE preview_links;
