"""A greeting service: Flask, served by gunicorn as `server:app`."""

import hashlib
import os
import time

from flask import Flask, jsonify, request

LONGEST_WAIT = 10.0  # seconds, so that a stray request cannot hold a thread for ever

app = Flask(__name__)


@app.get("/")
def greet():
    return jsonify(greeting="Hello!", environment=os.environ.get("PYM_ENV", "dev"))


@app.get("/ping")
def ping():
    return jsonify(status="ok")


@app.get("/version")
def version():
    return jsonify(name="hello", version=os.environ.get("VERSION", "unknown"))


@app.get("/secret-check")
def secret_check():
    """Prove which secret arrived, byte for byte, without showing it."""
    secret = os.environb.get(b"HELLO_SECRET")
    if secret is None:
        return jsonify(error="HELLO_SECRET is not set"), 503
    return jsonify(sha256=hashlib.sha256(secret).hexdigest())


@app.get("/slow")
def slow():
    """Answer after `?seconds=`, for requests that are in flight while traffic moves."""
    seconds = request.args.get("seconds", default=1.0, type=float)
    if not 0 <= seconds <= LONGEST_WAIT:
        return jsonify(error=f"seconds must be from 0 to {LONGEST_WAIT:g}"), 400
    time.sleep(seconds)
    return jsonify(slept=seconds)
