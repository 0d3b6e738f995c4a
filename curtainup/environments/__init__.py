"""One environment: its stack, how it looks now, how it moves to another deployment, its history."""
