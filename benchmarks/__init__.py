"""Measurements side by side: curtainup, a plain script, and Pulumi's usual calls. See docs/benchmarks.md."""
