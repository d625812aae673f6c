"""The steps of the Dockerfile, as far as they can be taken without a container engine:

    python3 listening-test/deploy/check_container.py target/debug/trompe-listen STUDY [--build]

- its form: two stages, a compiler as old as the workspace needs at least, no root, a volume, a health check;
- the build's command names a package and a program that exist, and the last stage copies what it makes (`--build` runs it);
- the commands of the last stage run in a temporary folder that stands for the root of the image;
- the server starts by ENTRYPOINT and CMD in that folder, without rights where this runs as root, and by the health check
  is well, then ill when its database is gone from it, then stops by SIGTERM.

Not checked: that the base images exist and hold these programs, and layers. hadolint lints the file where it is installed.
"""

import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def instructions(text):
    """Name and arguments of every instruction, continued lines joined."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [tuple(line.split(None, 1)) for line in joined.splitlines()]


def stages(found):
    """The instructions of each stage, its FROM first."""
    starts = [place for place, (name, _) in enumerate(found) if name == "FROM"]
    return [found[start:end] for start, end in zip(starts, starts[1:] + [None])]


def only(stage, name):
    values = [value for instruction, value in stage if instruction == name]
    assert len(values) == 1, f"{name} stands {len(values)} times in a stage"
    return values[0]


def check_build(build, final):
    """The command of the first stage makes what the last one copies."""
    workspace = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]
    image = only(build, "FROM").split()[0]
    assert image.startswith(f"rust:{workspace['rust-version']}-"), f"{image}, not of {workspace['rust-version']}"
    command = shlex.split(only(build, "RUN"))
    package, program = (command[command.index(option) + 1] for option in ("--package", "--bin"))
    metadata = json.loads(subprocess.run(
        ["cargo", "metadata", "--no-deps", "--locked", "--format-version", "1"], cwd=ROOT, check=True, capture_output=True).stdout)
    programs = {target["name"] for found in metadata["packages"] if found["name"] == package
                for target in found["targets"] if "bin" in target["kind"]}
    assert program in programs, f"{package} makes {sorted(programs)}, not {program}"
    source = only(build, "WORKDIR")
    stage = only(build, "FROM").split()[-1]
    copied = shlex.split(only(final, "COPY"))
    assert copied[:2] == [f"--from={stage}", f"{source}/target/release/{program}"], copied
    return command, program, copied[2]


def run_in(root, command):
    """Runs a RUN line with the folder `root` in place of the root of an image."""
    command = re.sub(r"\b(groupadd|useradd)\b", rf"\1 --prefix {shlex.quote(str(root))}", command)
    command = re.sub(r"(?<=\s)/data", f"{root}/data", command)
    command = command.replace(f"--home-dir {root}/data", "--home-dir /data")
    if os.geteuid() != 0:
        print("not run, because this is not root: " + command)
        (root / "data/answers").mkdir(parents=True)
        return
    subprocess.run(["bash", "-euo", "pipefail", "-c", command], check=True)
    user = (root / "etc/passwd").read_text().strip().split(":")
    assert user[0] == "trompe-listen" and user[2:] == ["10001", "10001", "", "/data", "/usr/sbin/nologin"], user
    assert (root / "etc/group").read_text().split(":")[2] == "10001"
    for folder in ("data", "data/answers"):
        state = (root / folder).stat()
        assert (state.st_uid, state.st_gid, state.st_mode & 0o777) == (10001, 10001, 0o700), folder


def free_port():
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return str(place.getsockname()[1])


def check_server(root, final, program, user):
    """Starts what the image starts, and asks what Docker would ask."""
    port = free_port()
    entry, words = json.loads(only(final, "ENTRYPOINT")), json.loads(only(final, "CMD"))
    health = only(final, "HEALTHCHECK")
    health = json.loads(health[health.index("["):])
    here = lambda word: word.replace("/data", f"{root}/data").replace("0.0.0.0:8080", f"127.0.0.1:{port}")
    health = [word.replace("/8080", f"/{port}") for word in health]
    assert entry == [program.name], f"{entry} is not the program that is copied"
    rights = ["setpriv", f"--reuid={user[0]}", f"--regid={user[1]}", "--clear-groups", "--no-new-privs"] if os.geteuid() == 0 else []
    line = [*rights, str(program), *map(here, words)]
    server = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
    well = lambda: subprocess.run(health, capture_output=True).returncode == 0
    try:
        printed = [server.stdout.readline() for _ in range(3)]
        assert printed[2].startswith("token"), printed
        assert well(), "the health check fails beside a server that is well"
        database = root / "data/answers/answers.sqlite"
        assert database.is_file(), "the answers are not in the volume"
        if rights:
            assert database.stat().st_uid == int(user[0]), "the server ran as root"
        holder = subprocess.Popen(
            [sys.executable, "-c", "import sqlite3, sys, time; c = sqlite3.connect(sys.argv[1], isolation_level=None); "
             "c.execute('begin immediate'); print(flush=True); time.sleep(60)", str(database)], stdout=subprocess.PIPE)
        holder.stdout.readline()
        time.sleep(2.1)
        assert not well(), "the health check passes while answers cannot be stored"
        holder.kill()
        holder.wait()
        server.send_signal(signal.SIGTERM)
        assert server.wait(30) == 0, "SIGTERM does not end the server"
        assert not well(), "the health check passes without a server"
    finally:
        server.kill()
        server.wait()


def main():
    program, study = (pathlib.Path(word).resolve() for word in sys.argv[1:3])
    found = instructions((HERE / "Dockerfile").read_text())
    build, final = stages(found)
    command, name, place = check_build(build, final)
    user = only(final, "USER").split(":")
    assert user[0] != "0" and user[0].isdigit(), "runs as root"
    assert json.loads(only(final, "VOLUME")) == ["/data/answers"]
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        root = pathlib.Path(folder)
        (root / "etc").mkdir()
        if "--build" in sys.argv:
            target = root / "target"
            subprocess.run(command, cwd=ROOT, env={**os.environ, "CARGO_TARGET_DIR": str(target)}, check=True)
            program = target / "release" / name
        installed = root / place.lstrip("/")
        installed.parent.mkdir(parents=True)
        shutil.copy(program, installed)
        run_in(root, only(final, "RUN"))
        shutil.copytree(study, root / "data/study")
        for path in [root / "data/study", *(root / "data/study").rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)
        check_server(root, final, installed, user)
    linted = ""
    if shutil.which("hadolint"):
        subprocess.run(["hadolint", str(HERE / "Dockerfile")], check=True)
        linted = "; hadolint finds nothing"
    print(f"Dockerfile: the steps of the last stage, the server without rights, its health check{linted}")
    if not linted:
        print("hadolint is not installed: the Dockerfile was not linted")


main()
