"""What the driver asks of the clouds themselves; their SDKs are imported by whoever is used."""
