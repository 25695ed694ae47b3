# SPDX-License-Identifier: Apache-2.0
"""docker, compose and buildx of a newer engine, against that engine: role
developer and profile baseline of packaging/policy/plugin-only.yaml; BuildKit
where a profile has build.opaque, and only there.  Called by clients_26.py,
clients_28.py and, with the proxy as the door, proxy_clients_28.py."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))), "integration"))
import clients_kit as kit  # noqa: E402

BUILDKIT = """\
roles:
  builder: {extends: developer, allow: {build: [session, grpc]}}
profiles:
  buildkit: {extends: baseline, build: {opaque: true}}
"""


def under_baseline(engine):
    with kit.Room("clients") as room:
        site = kit.Site(room, engine=engine, cli=engine)
        kit.ordinary(site)
        kit.classic_build(site)
        kit.compose(site, ["docker", "compose"])
        status, _, text = site.run("alice", "docker", "buildx", "build",
                                   kit.context(site))
        site.r.check(status != 0, "alice is refused $ docker buildx build",
                     text)
        return site.end() | report(site)


def with_buildkit(engine, door="plugin", compose=False):
    with kit.Room("buildkit") as room:
        site = kit.Site(room, engine=engine, cli=engine, role="builder",
                        profile="buildkit", more=BUILDKIT, door=door)
        if compose:
            kit.compose(site, ["docker", "compose"])
        ctx = kit.context(site)
        own = "localhost/pay/bx:"
        build = ("docker", "buildx", "build", "--pull=false")
        site.works("docker", "buildx", "ls")
        site.works(*build, "-t", own + "1", "--load", ctx)
        site.works("docker", "run", "--rm", own + "1", says="built 1")
        site.works(*build, "-t", own + "2", "--build-arg", "V=2", "--label",
                   "l=m", "--network", "none", "--no-cache", ctx)
        site.works("docker", "run", "--rm", own + "2", says="built 2")
        site.works(*build, "-o", "type=local,dest=out", ctx)
        site.works("docker", "build", "-t", own + "3", ctx,
                   env={"DOCKER_BUILDKIT": "1"})
        site.works("docker", "rmi", own + "1", own + "2", own + "3")
        # others have a role without it
        status, _, text = site.run("mila", *build, ctx)
        site.r.check(status != 0, "mila is refused $ docker buildx build",
                     text)
        return site.end() | report(site)


def report(site):
    TOTAL[0] += site.r.passed
    TOTAL[1] += site.r.failed
    return 0


TOTAL = [0, 0]


def through_proxy(engine):
    status = with_buildkit(engine, "proxy", compose=True)
    print(f"{TOTAL[0]} passed, {TOTAL[1]} failed")
    return status


def main(engine):
    status = under_baseline(engine) | with_buildkit(engine)
    print(f"{TOTAL[0]} passed, {TOTAL[1]} failed")
    return status
