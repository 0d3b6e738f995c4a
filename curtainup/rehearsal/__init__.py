"""Stand-ins for the clouds: providers that keep a cloud's rules and run real containers on this machine."""
