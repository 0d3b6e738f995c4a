"""Stand-ins for what an environment on GKE has of Google's. The cluster behind them is a real one."""
