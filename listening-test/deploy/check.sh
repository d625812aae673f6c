#!/usr/bin/env bash
# nginx with TLS before a study, as nginx.conf has it, and the other files linted:
#   bash listening-test/deploy/check.sh target/debug/trompe-listen
# Needs nginx, openssl and curl; nothing of the system is changed.
set -euo pipefail
program=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
place=$(mktemp -d)
server= proxy=
trap 'kill $server $proxy 2>/dev/null || true; rm -rf "$place"' EXIT

for n in 0 1 2; do
  mkdir -p "$place/pairs/$n"
  python3 - "$place/pairs/$n" "$n" <<'PY'
import math, struct, sys, wave
for name, hertz in (("a", 300), ("b", 500)):
    with wave.open(f"{sys.argv[1]}/{name}.wav", "wb") as sound:
        sound.setnchannels(1); sound.setsampwidth(2); sound.setframerate(8000)
        pitch = hertz + 20 * int(sys.argv[2])
        sound.writeframes(b"".join(struct.pack("<h", int(8000 * math.sin(n * pitch / 1273.24))) for n in range(8000)))
PY
done
"$program" build --out "$place/study" --pairs "$place/pairs" --contact lab@example.org --retain-until 2099-12-31 \
  --headphones off >/dev/null
"$program" serve "$place/study" --database "$place/answers.sqlite" --address 127.0.0.1:0 >"$place/printed" &
server=$!
for _ in $(seq 50); do grep -q token "$place/printed" && break; sleep 0.1; done
address=$(sed -n 's#^participants *http://\(.*\)/#\1#p' "$place/printed")
token=$(sed -n 's/^token *//p' "$place/printed")

openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=study.example.org -addext subjectAltName=DNS:study.example.org \
  -keyout "$place/key.pem" -out "$place/cert.pem" 2>/dev/null
sed -e "s#127.0.0.1:8080#$address#" -e "s#/etc/letsencrypt/.*fullchain.pem#$place/cert.pem#" \
  -e "s#/etc/letsencrypt/.*privkey.pem#$place/key.pem#" -e 's/listen 443/listen 127.0.0.1:18443/' \
  -e 's/listen 80/listen 127.0.0.1:18080/' -e '/listen \[::\]/d' "$here/nginx.conf" >"$place/site.conf"
cat >"$place/nginx.conf" <<CONF
pid $place/nginx.pid;
error_log $place/error.log;
events {}
http {
  client_body_temp_path $place/body; proxy_temp_path $place/proxy; fastcgi_temp_path $place/f;
  uwsgi_temp_path $place/u; scgi_temp_path $place/s;
  include $place/site.conf;
}
CONF
nginx -t -q -c "$place/nginx.conf"
nginx -c "$place/nginx.conf" -g 'daemon off;' &
proxy=$!
ask() { curl --silent --show-error --cacert "$place/cert.pem" --resolve study.example.org:18443:127.0.0.1 "$@"; }
site=https://study.example.org:18443
for _ in $(seq 50); do ask -o /dev/null "$site/api/health" 2>/dev/null && break; sleep 0.1; done
[ "$(ask "$site/api/health")" = ok ]
version=$(ask "$site/api/study" | python3 -c 'import json,sys; print(json.load(sys.stdin)["consent_version"])')
enrol() {
  ask -o "$place/enrolled" -w '%{http_code}' -H 'content-type: application/json' "$site/api/sessions" \
    -d "{\"consent_version\":\"$version\",\"of_age\":true,\"language\":\"en\"}"
}
[ "$(enrol)" = 200 ]
code=$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["code"])' "$place/enrolled")
answer() { ask -o "$place/state" -w '%{http_code}' -H "authorization: Bearer $code" "$site/api/answers" -d "$1"; }
[ "$(answer '{"step":0,"key":"answer-0","answers":{}}')" = 200 ]
[ "$(answer '{"step":1,"key":"answer-1"}')" = 200 ]
stimulus=$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["state"]["step"]["stimuli"][0])' "$place/state")
[ "$(ask -H "authorization: Bearer $code" -H 'range: bytes=0-3' "$site/api/stimuli/$stimulus")" = RIFF ]
# the experimenter's page: its cookie goes by TLS only, and foreign pages are refused
enter() { ask -o /dev/null -D "$place/head" -w '%{http_code}' "$site/admin/enter" -H "origin: $1" --data-urlencode "token=$token"; }
[ "$(enter "$site")" = 303 ]
grep -qi '^set-cookie:.*Secure' "$place/head"
[ "$(enter https://elsewhere.example)" = 403 ]
# a flood from one address
refused=0
for _ in $(seq 40); do [ "$(enrol)" = 429 ] && refused=$((refused + 1)); done
[ "$refused" -ge 5 ]
echo "nginx with TLS: consent, answers, a part of a stimulus, the experimenter's page; $refused of 40 hasty enrolments refused"

# two studies under their paths, behind the same configuration
kill "$server"
wait "$server" 2>/dev/null || true
"$program" build --out "$place/second" --name second --pairs "$place/pairs" --contact lab@example.org \
  --retain-until 2099-12-31 --headphones off >/dev/null
"$program" serve "$place/study" "$place/second" --database "$place/both" --address "$address" >"$place/printed" &
server=$!
for _ in $(seq 50); do [ "$(ask "$site/second/api/health" 2>/dev/null)" = ok ] && break; sleep 0.1; done
[ "$(ask "$site/api/health")" = ok ]
[ "$(ask -o /dev/null -w '%{http_code}' "$site/")" = 404 ]
[ "$(ask -o /dev/null -w '%{http_code}' "$site/second/page/app.js")" = 200 ]
token=$(sed -n 's/^ *token *//p' "$place/printed" | tail -1)
enter=$(ask -o /dev/null -D "$place/head" -w '%{http_code}' "$site/second/admin/enter" -H "origin: $site" --data-urlencode "token=$token")
[ "$enter" = 303 ]
refused=0
for _ in $(seq 40); do
  code=$(ask -o /dev/null -w '%{http_code}' -H 'content-type: application/json' "$site/second/api/sessions" -d '{}')
  [ "$code" = 429 ] && refused=$((refused + 1))
done
[ "$refused" -ge 5 ]
echo "two studies: paths, health, the experimenter's page; $refused of 40 hasty enrolments refused"
kill "$server"
wait "$server" 2>/dev/null || true
python3 "$here/check_container.py" "$program" "$place/study"

if command -v systemd-analyze >/dev/null; then
  sed "s#/usr/local/bin/trompe-listen#$program#" "$here/trompe-listen.service" >"$place/trompe-listen.service"
  systemd-analyze verify "$place/trompe-listen.service"
  echo "systemd: the unit is well-formed"
fi
if command -v caddy >/dev/null; then
  caddy validate --adapter caddyfile --config "$here/Caddyfile" >/dev/null 2>&1
  echo "Caddy: the configuration is valid"
else
  echo "Caddy is not installed: its file was not checked"
fi
