# A variable holds a text, the path of a file with it (GitLab's type File), or the text in base64.
told() { if test -f "$1"; then cat "$1"; else printf '%s\n' "$1"; fi; }
