"""What a deployment may do: the reviewed plan, the guard that keeps to it, and what is dangerous."""
