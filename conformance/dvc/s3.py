#!/usr/bin/env python3
"""Drives the binary under test, and real DVC if it can do S3, against a real S3 server implementation (moto).

    python3 s3.py --binary ./strata --moto PATH/TO/moto_server [--dvc PATH/TO/dvc] [--only GLOB]

The server runs on the loopback and in memory; nothing leaves the machine.  Last line "N passed, N failed".
Needs run.py beside it.  Python 3.8+, stdlib only.
"""
import argparse
import fnmatch
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

KEY, SECRET = "AKIATESTKEY", "a-secret-that-nobody-prints"
SIGNED = "AWS4-HMAC-SHA256 Credential=%s/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0" % KEY


class Fail(Exception):
    pass


class Server:
    """moto_server on a free port."""

    def __init__(self, program, log):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = "http://127.0.0.1:%d" % port
        self.process = subprocess.Popen(
            [program, "-H", "127.0.0.1", "-p", str(port)], stdout=log, stderr=log)
        deadline = time.monotonic() + 120
        while True:
            try:
                self.ask("GET", "/moto-api/data.json")
                return
            except (urllib.error.URLError, ConnectionError):
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit("moto_server does not answer; see %s" % log.name)
                time.sleep(0.2)

    def ask(self, method, path, body=None):
        request = urllib.request.Request(self.url + path, data=body, method=method)
        request.add_header("Authorization", SIGNED)
        request.add_header("Content-Type", "application/octet-stream")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read()

    def make_bucket(self, name):
        self.ask("PUT", "/" + name, b"")

    def put(self, bucket, key, contents):
        self.ask("PUT", "/%s/%s" % (bucket, key), contents)

    def get(self, bucket, key):
        return self.ask("GET", "/%s/%s" % (bucket, key))

    def keys(self, bucket):
        text = self.ask("GET", "/%s?list-type=2" % bucket).decode()
        return sorted(part.split("</Key>")[0] for part in text.split("<Key>")[1:])

    def uploads(self, bucket):
        return self.ask("GET", "/%s?uploads" % bucket).decode().count("<UploadId>")

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Project:
    """A project and its clones, each with a private home and no cache in common."""

    def __init__(self, base, server, bucket, tools):
        self.base, self.server, self.bucket, self.tools = base, server, bucket, tools
        self.root = os.path.join(base, "project")
        os.makedirs(self.root)
        os.makedirs(os.path.join(base, "home"))
        self.said = ""
        self.ok("A", "init", "--no-scm", "-q")

    def env(self):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "DVC_", "STRATA_"))}
        env.update({
            "HOME": os.path.join(self.base, "home"), "XDG_CONFIG_HOME": os.path.join(self.base, "home/.config"),
            "DVC_SITE_CACHE_DIR": os.path.join(self.base, "site"), "DVC_NO_ANALYTICS": "1",
            "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "400", "CI": "1"})
        for proxy in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy"):
            env.pop(proxy, None)
        return env

    def call(self, who, *args):
        done = subprocess.run([self.tools[who]] + list(args), cwd=self.root, env=self.env(), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
        text = done.stdout + done.stderr
        if who == "A" and "config" not in args and SECRET in text:
            raise Fail("%s printed the secret" % " ".join(args))
        return done.returncode, done.stdout, done.stderr

    def ok(self, who, *args):
        code, out, err = self.call(who, *args)
        if code:
            raise Fail("%s %s exited with %d:\n%s" % (who, " ".join(args), code, (out + err)[-800:]))
        return out

    def fails(self, code, *args):
        got, out, err = self.call("A", *args)
        if got != code:
            raise Fail("%s exited with %d instead of %d:\n%s" % (" ".join(args), got, code, (out + err)[-800:]))
        return err

    def add_remote(self, prefix="some/prefix"):
        self.ok("A", "remote", "add", "-d", "storage", "s3://%s/%s" % (self.bucket, prefix))
        self.ok("A", "remote", "modify", "storage", "endpointurl", self.server.url)
        self.ok("A", "remote", "modify", "--local", "storage", "access_key_id", KEY)
        self.ok("A", "remote", "modify", "--local", "storage", "secret_access_key", SECRET)

    def write(self, path, contents):
        path = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(contents)

    def read(self, path):
        with open(os.path.join(self.root, path), "rb") as file:
            return file.read()

    def add_data(self):
        """Small files, an empty one, odd names, and one that goes in several parts."""
        for number in range(30):
            self.write("data/%02d.txt" % number, b"%d\n" % number * 50)
        self.write("data/sub/a b+c%.txt", b"odd name")
        self.write("data/empty", b"")
        self.write("large.bin", bytes(range(256)) * 4096 * 20 + b"end")
        self.ok("A", "add", "-q", "data", "large.bin")

    def tree(self):
        found = {}
        for path in ("data", "large.bin"):
            top = os.path.join(self.root, path)
            files = [top] if os.path.isfile(top) else [
                os.path.join(folder, name) for folder, _, names in os.walk(top) for name in names]
            for file in files:
                with open(file, "rb") as opened:
                    found[os.path.relpath(file, self.root)] = hashlib.md5(opened.read()).hexdigest()
        return found

    def forget(self):
        shutil.rmtree(os.path.join(self.root, ".dvc/cache"))
        shutil.rmtree(os.path.join(self.base, "site"), ignore_errors=True)
        shutil.rmtree(os.path.join(self.root, "data"))
        os.remove(os.path.join(self.root, "large.bin"))

    def objects(self):
        top = os.path.join(self.root, ".dvc/cache/files/md5")
        return sorted(os.path.relpath(os.path.join(folder, name), top)
                      for folder, _, names in os.walk(top) for name in names)


def equal(found, expected, what):
    if found != expected:
        raise Fail("%s: %r instead of %r" % (what, found, expected))


def contains(text, part):
    if part not in text:
        raise Fail("%r is not in:\n%s" % (part, text))


# --------------------------------------------------------------------- checks

CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


@check
def push_and_pull(project):
    project.add_remote()
    project.add_data()
    tree = project.tree()
    status = json.loads(project.ok("A", "status", "-c", "--json"))
    equal(set(status.values()), {"new"}, "status before the push")
    project.ok("A", "push", "-j", "3")
    expected = ["some/prefix/files/md5/" + name for name in project.objects()]
    equal(project.server.keys(project.bucket), expected, "keys in the bucket")
    equal(project.server.uploads(project.bucket), 0, "uploads left open")
    equal(json.loads(project.ok("A", "status", "-c", "--json")), {}, "status after the push")
    equal(project.ok("A", "push"), "Everything is up to date.\n", "the second push")
    project.forget()
    status = json.loads(project.ok("A", "status", "-c", "--json"))
    if set(status.values()) != {"deleted"}:
        raise Fail("status with an empty cache: %r" % status)
    project.ok("A", "pull")
    equal(project.tree(), tree, "the data")
    project.forget()
    project.ok("A", "fetch", "large.bin")
    equal(len(project.objects()), 1, "objects of one target")


@check
def a_bucket_without_prefix_and_keys_from_a_profile(project):
    project.ok("A", "remote", "add", "-d", "storage", "s3://%s" % project.bucket)
    project.ok("A", "config", "remote.storage.endpointurl", project.server.url)
    project.ok("A", "config", "remote.storage.profile", "work")
    folder = os.path.join(project.base, "home/.aws")
    os.makedirs(folder)
    with open(os.path.join(folder, "credentials"), "w") as file:
        file.write("[work]\naws_access_key_id = %s\naws_secret_access_key = %s\n" % (KEY, SECRET))
    with open(os.path.join(folder, "config"), "w") as file:
        file.write("[profile work]\nregion = eu-central-1\n")
    project.add_data()
    tree = project.tree()
    project.ok("A", "push")
    equal(project.server.keys(project.bucket), ["files/md5/" + name for name in project.objects()], "keys")
    project.forget()
    project.ok("A", "pull")
    equal(project.tree(), tree, "the data")


@check
def kept_runs_go_along(project):
    project.add_remote()
    project.write("dvc.yaml", b"stages:\n  s:\n    cmd: cat in.txt > out.txt\n    deps: [in.txt]\n    outs: [out.txt]\n")
    project.write("in.txt", b"x")
    project.ok("A", "repro", "-q")
    project.ok("A", "push", "--run-cache")
    runs = [key for key in project.server.keys(project.bucket) if "/runs/" in key]
    equal(len(runs), 1, "runs in the bucket")
    shutil.rmtree(os.path.join(project.root, ".dvc/cache"))
    os.remove(os.path.join(project.root, "out.txt"))
    os.remove(os.path.join(project.root, "dvc.lock"))
    project.ok("A", "fetch", "--run-cache")
    kept = os.path.join(project.root, ".dvc/cache", runs[0][len("some/prefix/"):])
    if not os.path.isfile(kept):
        raise Fail("the kept run did not come back")


@check
def what_is_not_as_it_should_be(project):
    project.add_remote()
    project.add_data()
    project.ok("A", "push")
    md5 = hashlib.md5(b"odd name").hexdigest()
    name = "%s/%s" % (md5[:2], md5[2:])
    project.server.put(project.bucket, "some/prefix/files/md5/" + name, b"other")
    project.forget()
    error = project.fails(1, "pull")
    contains(error, "data/sub/a b+c%.txt")
    contains(error, "is damaged")
    if name in project.objects():
        raise Fail("a damaged object was kept")
    project.server.put(project.bucket, "some/prefix/files/md5/" + name, b"odd name")
    equal(project.ok("A", "fetch"), "1 file fetched\n", "the second fetch")
    project.ok("A", "remote", "modify", "storage", "url", "s3://there-is-no-such-bucket/x")
    contains(project.fails(255, "push"), "NoSuchBucket")


@check
def dvc_reads_what_the_binary_sent(project):
    project.add_remote()
    project.add_data()
    tree = project.tree()
    project.ok("A", "push")
    equal(json.loads(project.ok("B", "status", "-c", "--json")), {}, "status of DVC")
    project.forget()
    project.ok("B", "pull")
    equal(project.tree(), tree, "the data")


@check
def the_binary_reads_what_dvc_sent(project):
    project.add_remote()
    project.add_data()
    tree = project.tree()
    project.ok("B", "push")
    sent = project.server.keys(project.bucket)
    equal(json.loads(project.ok("A", "status", "-c", "--json")), {}, "status of the binary")
    equal(project.ok("A", "push"), "Everything is up to date.\n", "push of the binary")
    equal(project.server.keys(project.bucket), sent, "keys in the bucket")
    project.forget()
    project.ok("A", "pull")
    equal(project.tree(), tree, "the data")


@check
def dvc_and_the_binary_write_the_same_settings(project):
    steps = [
        ("remote", "add", "-d", "Storage", "s3://bucket/p"), ("remote", "add", "folder", "../elsewhere"),
        ("remote", "modify", "storage", "region", "eu-west-1"), ("config", "cache.type", "hardlink,copy"),
        ("config", "core.autostage", "true"), ("remote", "modify", "--local", "storage", "profile", "me"),
        ("remote", "default", "folder"), ("remote", "rename", "folder", "disk"), ("config", "-u", "core.autostage"),
        ("config", "remote.disk.jobs", "3"), ("remote", "modify", "storage", "-u", "region"),
    ]
    written = {}
    for who in ("A", "B"):
        for name in ("config", "config.local"):
            path = os.path.join(project.root, ".dvc", name)
            with open(path, "w") as file:
                file.write("[core]\n    no_scm = True\n" if name == "config" else "")
        for step in steps:
            project.ok(who, *step)
        written[who] = [project.read(".dvc/" + name) for name in ("config", "config.local")]
        written[who].append(project.ok(who, "config", "--list", "--show-origin"))
    equal(written["A"], written["B"], "settings")


def speaks_s3(dvc):
    """Whether dvc-s3 is installed beside this DVC."""
    python = os.path.join(os.path.dirname(dvc), "python")
    found = subprocess.run([python, "-c", "import dvc_s3"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return found.returncode == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--moto", required=True)
    parser.add_argument("--dvc")
    parser.add_argument("--only", default="*")
    args = parser.parse_args()
    tools = {"A": os.path.abspath(args.binary)}
    if args.dvc and speaks_s3(os.path.abspath(args.dvc)):
        tools["B"] = os.path.abspath(args.dvc)
    else:
        print("without a DVC that has dvc-s3: nothing is exchanged with it")
    passed = failed = 0
    with tempfile.TemporaryDirectory() as base:
        with open(os.path.join(base, "moto.log"), "w") as log:
            server = Server(args.moto, log)
            try:
                for number, function in enumerate(CHECKS):
                    name = function.__name__
                    if not fnmatch.fnmatch(name, args.only) or ("dvc" in name and "B" not in tools):
                        continue
                    bucket = "bucket-%d" % number
                    server.make_bucket(bucket)
                    try:
                        function(Project(os.path.join(base, name), server, bucket, tools))
                        passed += 1
                    except Fail as problem:
                        failed += 1
                        print("FAIL %s: %s" % (name, problem))
            finally:
                server.stop()
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
