"""Acceptance tests against one URL: fixtures and a smoke suite for pytest.

It runs in the service's own interpreter, so it needs only pytest (6 or newer), requests (2.20 or newer)
and Python 3.8, and imports nothing else of curtainup.
"""
