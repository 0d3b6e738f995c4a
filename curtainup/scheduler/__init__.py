"""The scheduler of a Docker host: it runs the schedules of a release, in the release's own image.

So these modules import Python's own library, `cronsim` and `curtainup.util.cron` alone, and run on Python
3.10. `archive`, which is no part of it, packs them into one file; `start` is what that file begins with.
"""
