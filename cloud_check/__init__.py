"""A check of curtainup on a real account: deploy, break and destroy a service, and look what is left."""
