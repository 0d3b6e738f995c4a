"""Telling people of a run, through Apprise: chat, mail, webhooks.

A process of its own sends the messages while the run goes on. What cannot be sent is a warning and
never fails a run.
"""
