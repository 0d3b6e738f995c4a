"""Notifies people of a run through Apprise: by chat, mail and webhooks.

A separate process sends the messages while the run goes on. A message that cannot be sent causes a warning
and never fails a run.
"""
