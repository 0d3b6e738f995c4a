"""`make demo-shop`: examples/shop with its database and its queue, from source to live."""
