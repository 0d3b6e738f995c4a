"""Google Cloud: the account and its APIs."""
