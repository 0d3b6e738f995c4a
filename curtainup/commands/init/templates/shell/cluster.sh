# The kubeconfig is the job's: it leads to the cluster as whoever deploys.
: "${KUBE_CONFIG:?is not set: it leads to the cluster}"
(
  umask 077
  mkdir -p "$HOME/.kube"
  # A variable holds a text, the path of a file with it (GitLab's type File), or the file in base64.
  told() { if test -f "$1"; then cat "$1"; else printf '%s\n' "$1"; fi; }
  case "$(told "$KUBE_CONFIG")" in
    *clusters*) told "$KUBE_CONFIG" ;;
    *) told "$KUBE_CONFIG" | base64 -d ;;
  esac > "$HOME/.kube/curtainup"
)
