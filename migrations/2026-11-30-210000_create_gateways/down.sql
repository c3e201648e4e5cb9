DROP TABLE duties;
DROP TABLE gateway_counts;
DROP TABLE gateway_routes;
DROP TABLE gateway_revision;
DROP TABLE gateways;
