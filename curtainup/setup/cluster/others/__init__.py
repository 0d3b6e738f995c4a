"""Clusters whose nodes are Docker containers, by kind or k3d, where somebody has installed one of them."""
