# The key or certificate is the job's; the host has to have the key that is pinned in SSH_KNOWN_HOSTS.
: "${SSH_PRIVATE_KEY:?is not set: it opens the Docker host}" "${SSH_KNOWN_HOSTS:?is not set: it pins the host}"
(
  umask 077
  mkdir -p "$HOME/.ssh"
  %%{told}
  case "$(told "$SSH_PRIVATE_KEY")" in
    *"PRIVATE KEY"*) told "$SSH_PRIVATE_KEY" ;;
    *) told "$SSH_PRIVATE_KEY" | base64 -d ;;
  esac > "$HOME/.ssh/curtainup"
  rm -f "$HOME/.ssh/curtainup-cert.pub"
  test -z "${SSH_CERTIFICATE:-}" || told "$SSH_CERTIFICATE" > "$HOME/.ssh/curtainup-cert.pub"
  told "$SSH_KNOWN_HOSTS" > "$HOME/.ssh/curtainup-hosts"
  cat >> "$HOME/.ssh/config" <<END
Host %%{host}
  BatchMode yes
  IdentitiesOnly yes
  IdentityFile $HOME/.ssh/curtainup
  StrictHostKeyChecking yes
  UserKnownHostsFile $HOME/.ssh/curtainup-hosts
  GlobalKnownHostsFile /dev/null
END
)
