"""IP Insights: how well an entity and an IPv4 address go together, from pairs that were seen together."""
