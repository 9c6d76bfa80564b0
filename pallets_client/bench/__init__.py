"""How fast a chain takes signed calls: the deals that are called on, and the load itself."""
