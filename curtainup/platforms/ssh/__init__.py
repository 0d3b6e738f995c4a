"""A machine reached by SSH, with the user's own OpenSSH client."""
