"""`curtainup init`: what an existing service needs to be deployed, looked up, planned, and then written."""
