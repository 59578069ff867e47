#!/usr/bin/env python3
"""Side-by-side benchmark for DICOM archives: C-STORE, STOW-RS, QIDO-RS,
WADO-RS, C-FIND, C-GET and C-MOVE against any server.

  bench.py run      one target -> one JSON (+ a markdown table on stdout)
  bench.py sink     the physical limits: the same ingest into null/disk sinks
  bench.py clients  which C-STORE client is the cheapest on this machine
  bench.py preload  fill an archive with N small instances (index scale)
  bench.py sustain  C-STORE for minutes on end while the archive grows
  bench.py table    A.json B.json ...   one table, a column for each file
  bench.py compare  A.json B.json       ratios; also spelled --compare
  bench.py merge    A1.json A2.json ... pool the samples of repeated runs

All data is made by gen.py from a seed.  UIDs are new in every run (--salt), so
a server may keep what earlier runs stored.  See README.md.
"""
import argparse
import collections
import concurrent.futures as cf
import contextlib
import copy
import datetime
import http.client
import http.server
import io
import json
import os
import platform
import random
import resource
import shutil
import signal
import socket
import socketserver
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

import gen

# DCMTK 3.6.2 and later leave Nagle's algorithm on, which costs about 40 ms for
# each message on loopback; every DCMTK program started from here has it off.
os.environ.setdefault("TCP_NODELAY", "1")

TICK = os.sysconf("SC_CLK_TCK")
NAN = float("nan")


def log(*a):
    print(time.strftime("%H:%M:%S"), *a, file=sys.stderr, flush=True)


# ------------------------------------------------------------ measurement

def _stat(pid):
    with open(f"/proc/{pid}/stat") as f:
        rest = f.read().rsplit(")", 1)[1].split()
    return int(rest[1]), sum(map(int, rest[11:15])) / TICK    # ppid, cpu incl. reaped


class Tree:
    """CPU and memory of the server: the given root processes and all below."""

    def __init__(self, roots):
        self.roots = set(roots)
        self.peak = 0.0
        self._stop = threading.Event()
        self._thread = None

    def pids(self):
        parent = {}
        for d in os.listdir("/proc"):
            if d.isdigit():
                with contextlib.suppress(OSError, IndexError):
                    parent[int(d)] = _stat(d)[0]
        out = {p for p in self.roots if p in parent}
        grown = True
        while grown:
            more = {p for p, pp in parent.items() if pp in out} - out
            out |= more
            grown = bool(more)
        return out

    def cpu(self):
        total = 0.0
        for p in self.pids():
            with contextlib.suppress(OSError, IndexError):
                total += _stat(p)[1]
        return total

    def memory(self):
        """MB: private pages of all, plus the largest shared segment once."""
        anon = shm = file = 0
        for p in self.pids():
            with contextlib.suppress(OSError):
                with open(f"/proc/{p}/status") as f:
                    for line in f:
                        if line.startswith("RssAnon"):
                            anon += int(line.split()[1])
                        elif line.startswith("RssFile"):
                            file = max(file, int(line.split()[1]))
                        elif line.startswith("RssShmem"):
                            shm = max(shm, int(line.split()[1]))
        return (anon + shm + file) / 1024

    def start(self, every=0.2):
        self.peak = self.memory() if self.roots else 0.0
        if not self.roots:
            return
        self._stop.clear()

        def loop():
            while not self._stop.wait(every):
                self.peak = max(self.peak, self.memory())
        self._thread = threading.Thread(target=loop, daemon=True)
        self._thread.start()

    def stop(self):
        self._stop.set()
        if self._thread:
            self._thread.join()
            self._thread = None
        return self.peak


def own_cpu():
    return sum(r.ru_utime + r.ru_stime for r in map(
        resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


def machine_cpu():
    with open("/proc/stat") as f:
        v = list(map(int, f.readline().split()[1:9]))
    return (sum(v) - v[3] - v[4]) / TICK          # all but idle and iowait


class Report:
    """Collects samples; a metric's value is the median of its samples."""

    def __init__(self, meta, tree):
        self.meta, self.tree = meta, tree
        self.metrics = {}
        self.notes = []

    def add(self, key, value, unit, better):
        m = self.metrics.setdefault(key, {"unit": unit, "better": better, "samples": []})
        m["samples"].append(value)

    def note(self, text):
        log("NOTE", text)
        if text not in self.notes:
            self.notes.append(text)

    @contextlib.contextmanager
    def measured(self, key, work=None):
        """Peak memory of the server, its CPU, ours, and that of strangers."""
        out = {}
        self.tree.start()
        t, s, o, m = time.perf_counter(), self.tree.cpu(), own_cpu(), machine_cpu()
        try:
            yield out
        finally:
            dt = time.perf_counter() - t
            ds, do, dm = self.tree.cpu() - s, own_cpu() - o, machine_cpu() - m
            peak = self.tree.stop()
            n = out.get("n", work)
            if self.tree.roots:
                self.add(key + ".mem", peak, "MB peak", "lower")
                if n:
                    self.add(key + ".cpu", ds / n * 1e3, "server CPU ms/op", "lower")
            if n:
                self.add(key + ".client_cpu", do / n * 1e3, "client CPU ms/op", "info")
            if dt > .3:
                self.add(key + ".foreign", max(0, dm - ds - do) / dt, "cores busy elsewhere", "info")

    def dump(self, path):
        out = {}
        for k, m in self.metrics.items():
            good = [x for x in m["samples"] if x is not None and x == x]
            out[k] = {"value": statistics.median(good) if good else None,
                      "unit": m["unit"], "better": m["better"],
                      "samples": [round(x, 4) for x in good]}
        doc = {"meta": self.meta, "notes": self.notes, "metrics": out}
        if path:
            with open(path, "w") as f:
                json.dump(doc, f, indent=1)
        return doc


def pct(sorted_values, q):
    if not sorted_values:
        return None
    k = min(len(sorted_values) - 1, max(0, round(q * (len(sorted_values) - 1))))
    return sorted_values[k]


# ----------------------------------------------- C-STORE client: socket level

IMPLICIT = "1.2.840.10008.1.2"
IMPL_UID = "2.25.100000000000000000000000000000000000002"


def _item(kind, body):
    return struct.pack(">BBH", kind, 0, len(body)) + body


def _el(group, elem, value):
    if len(value) & 1:
        value += b"\0"
    return struct.pack("<HHI", group, elem, len(value)) + value


class Association:
    """A storage SCU that frames ready-made bytes: no parsing, no copying, so
    that the client takes as little of the machine as a client can."""

    def __init__(self, host, port, called, calling, contexts, timeout=60):
        self.ids = {}
        body = struct.pack(">HH", 1, 0) + called.ljust(16).encode() + calling.ljust(16).encode() + bytes(32)
        body += _item(0x10, b"1.2.840.10008.3.1.1.1")
        for k, (cls, ts) in enumerate(contexts):
            pid = 2 * k + 1
            body += _item(0x20, bytes([pid, 0, 0, 0]) + _item(0x30, cls.encode()) + _item(0x40, ts.encode()))
            self.ids[pid] = (cls, ts)
        user = _item(0x51, struct.pack(">I", 131072)) + _item(0x52, IMPL_UID.encode()) + _item(0x55, b"BENCH_1")
        body += _item(0x50, user)
        self.sock = socket.create_connection((host, port), timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.sendall(struct.pack(">BBI", 1, 0, len(body)) + body)
        kind, ac = self._pdu()
        if kind != 2:
            raise RuntimeError(f"association refused (PDU type {kind}: {ac.hex()})")
        self.context, self.max_pdu = {}, 16384
        at = 68
        while at + 4 <= len(ac):
            kind, _, n = struct.unpack_from(">BBH", ac, at)
            item = ac[at + 4:at + 4 + n]
            if kind == 0x21 and item[2] == 0:
                self.context[self.ids[item[0]]] = item[0]
            elif kind == 0x50:
                j = 0
                while j + 4 <= len(item):
                    k2, _, n2 = struct.unpack_from(">BBH", item, j)
                    if k2 == 0x51:
                        self.max_pdu = struct.unpack_from(">I", item, j + 4)[0] or 131072
                    j += 4 + n2
            at += 4 + n
        self.max_pdu = min(self.max_pdu, 131072)
        self.msg = 0

    def _exact(self, n):
        buf = b""
        while len(buf) < n:
            more = self.sock.recv(n - len(buf))
            if not more:
                raise RuntimeError("peer closed the connection")
            buf += more
        return buf

    def _pdu(self):
        kind, _, n = struct.unpack(">BBI", self._exact(6))
        return kind, self._exact(n)

    def _send(self, iov):
        while iov:
            sent = self.sock.sendmsg(iov[:1000])
            k = 0
            while k < len(iov) and sent >= len(iov[k]):
                sent -= len(iov[k])
                k += 1
            iov = iov[k:]
            if sent:
                iov[0] = memoryview(iov[0])[sent:]

    def store(self, inst):
        """Send one instance; the status of the response."""
        ctx = self.context.get((inst.cls, inst.ts))
        if ctx is None:
            return 0x0122
        self.msg = self.msg % 65535 + 1
        cmd = (_el(0, 2, inst.cls.encode()) + _el(0, 0x100, b"\1\0")
               + _el(0, 0x110, struct.pack("<H", self.msg)) + _el(0, 0x700, b"\0\0")
               + _el(0, 0x800, b"\0\0") + _el(0, 0x1000, inst.sop.encode()))
        cmd = _el(0, 0, struct.pack("<I", len(cmd))) + cmd
        iov = [struct.pack(">BBIIBB", 4, 0, len(cmd) + 6, len(cmd) + 2, ctx, 3) + cmd]
        # The dataset is in two buffers; fragments may span both.
        parts = [memoryview(inst.head)[inst.data_at:]]
        if inst.pix:
            parts.append(memoryview(inst.pix))
        left = sum(map(len, parts))
        room = self.max_pdu - 6
        while left:
            n = min(room, left)
            left -= n
            iov.append(struct.pack(">BBIIBB", 4, 0, n + 6, n + 2, ctx, 0 if left else 2))
            while n:
                take = min(n, len(parts[0]))
                iov.append(parts[0][:take])
                parts[0] = parts[0][take:]
                n -= take
                if not len(parts[0]):
                    parts.pop(0)
        self._send(iov)
        rsp = b""
        while True:
            kind, body = self._pdu()
            if kind != 4:
                raise RuntimeError(f"aborted by the peer (PDU type {kind})")
            n, _, flags = struct.unpack_from(">IBB", body)
            rsp += body[6:4 + n]
            if flags & 3 == 3:
                break
        at = 0
        while at + 8 <= len(rsp):
            g, e, n = struct.unpack_from("<HHI", rsp, at)
            if (g, e) == (0, 0x900):
                return struct.unpack_from("<H", rsp, at + 8)[0]
            at += 8 + n
        return 0xC000

    def release(self):
        with contextlib.suppress(OSError, RuntimeError):
            self.sock.sendall(struct.pack(">BBI", 5, 0, 4) + bytes(4))
            self._pdu()
        self.sock.close()


def split(insts, n, by_study=True):
    """n work lists of about equal bytes; a study stays on one association."""
    parts = [[] for _ in range(n)]
    if not by_study:
        for k, i in enumerate(insts):
            parts[k % n].append(i)
        return [p for p in parts if p]
    groups = collections.defaultdict(list)
    for i in insts:
        groups[i.study].append(i)
    load = [0] * n
    for g in sorted(groups.values(), key=lambda g: -sum(i.size for i in g)):
        k = load.index(min(load))
        parts[k] += g
        load[k] += sum(i.size for i in g)
    return [p for p in parts if p]


def store_socket(t, parts):
    def one(part):
        pcs = list(dict.fromkeys((i.cls, i.ts) for i in part))
        a = Association(t.host, t.port, t.aet, t.calling, pcs)
        bad = 0
        for i in part:
            bad += a.store(i) not in (0, 0xB000, 0xB006, 0xB007)
        a.release()
        return bad
    with cf.ThreadPoolExecutor(len(parts)) as ex:
        t0 = time.perf_counter()
        bad = sum(ex.map(one, parts))
        return time.perf_counter() - t0, bad


def store_dcmtk(t, parts, tool):
    """dcmsend or storescu, one process for each association."""
    with tempfile.TemporaryDirectory(dir=t.work) as d:
        cmds = []
        for k, part in enumerate(parts):
            sub = os.path.join(d, str(k))
            os.mkdir(sub)
            for j, i in enumerate(part):
                with open(os.path.join(sub, f"{j:06d}.dcm"), "wb") as f:
                    f.write(i.file_bytes())
            flags = (["-nuc", "-q"] if tool == "dcmsend" else ["-q", "-R", "-pdu", "131072"])
            cmds.append([tool, *flags, "-aet", t.calling, "-aec", t.aet, "+sd", t.host, str(t.port), sub])
        t0 = time.perf_counter()
        procs = [subprocess.Popen(c, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for c in cmds]
        bad = sum(p.wait(timeout=300) != 0 for p in procs)
        return time.perf_counter() - t0, bad


def store(t, insts, n, client="socket", by_study=True):
    parts = split(insts, n, by_study)
    return store_socket(t, parts) if client == "socket" else store_dcmtk(t, parts, client)


# -------------------------------------------------------------------- HTTP

class Web:
    """One keep-alive connection."""

    def __init__(self, base, headers, timeout=120):
        u = urllib.parse.urlsplit(base)
        self.prefix = u.path.rstrip("/")
        cls = http.client.HTTPSConnection if u.scheme == "https" else http.client.HTTPConnection
        self.c = cls(u.hostname, u.port, timeout=timeout)
        self.headers = headers

    def go(self, method, path, accept, body=None, ctype=None, length=None, keep=False):
        """(status, seconds to first body byte, seconds, bytes, body or None)"""
        h = dict(self.headers, Accept=accept)
        if ctype:
            h["Content-Type"] = ctype
        if length is not None:
            h["Content-Length"] = str(length)
        t0 = time.perf_counter()
        try:
            if self.c.sock is None:
                self.c.connect()
                self.c.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.c.request(method, self.prefix + path, body=body, headers=h)
            r = self.c.getresponse()
            first = r.read(1)
            t1 = time.perf_counter()
            if keep:
                data = first + r.read()
                n = len(data)
            else:
                data, n = None, len(first)
                buf = bytearray(1 << 18)
                while True:
                    k = r.readinto(buf)
                    if not k:
                        break
                    n += k
            if r.will_close:
                self.c.close()
            return r.status, t1 - t0, time.perf_counter() - t0, n, data
        except (OSError, http.client.HTTPException) as e:
            self.c.close()
            return 0, NAN, time.perf_counter() - t0, 0, repr(e).encode()

    def get(self, path, accept="application/dicom+json", keep=False):
        return self.go("GET", path, accept, keep=keep)

    def close(self):
        self.c.close()


def stow_body(insts, boundary=b"bench-boundary-7f3a"):
    iov = []
    for i in insts:
        iov.append(b"--" + boundary + b"\r\nContent-Type: application/dicom\r\n\r\n" + i.head)
        if i.pix:
            iov.append(i.pix)
        iov.append(b"\r\n")
    iov.append(b"--" + boundary + b"--\r\n")
    return iov, sum(map(len, iov))


STOW_TYPE = 'multipart/related; type="application/dicom"; boundary=bench-boundary-7f3a'


def stow(t, insts, posts, per_body):
    """POST everything over some parallel connections: seconds, not stored."""
    bodies = [stow_body(insts[k:k + per_body]) + (len(insts[k:k + per_body]),)
              for k in range(0, len(insts), per_body)]
    work, lock = iter(bodies), threading.Lock()

    def one(_):
        w, bad = Web(t.web, t.headers), 0
        while True:
            with lock:
                b = next(work, None)
            if b is None:
                w.close()
                return bad
            st, _, _, _, data = w.go("POST", "/studies", "application/dicom+json",
                                     iter(b[0]), STOW_TYPE, b[1], keep=True)
            if st not in (200, 202):
                bad += b[2]
            elif st == 202:
                with contextlib.suppress(ValueError, AttributeError):
                    bad += len(json.loads(data).get("00081198", {}).get("Value", []))
    with cf.ThreadPoolExecutor(posts) as ex:
        t0 = time.perf_counter()
        bad = sum(ex.map(one, range(posts)))
        return time.perf_counter() - t0, bad


def hammer(t, make, clients, seconds, most, accept):
    """Closed loop with keep-alive: latencies, first-byte times, bytes, errors."""
    lock, count = threading.Lock(), [0]
    end = time.perf_counter() + seconds
    lat, first, errors, size = [], [], [], [0]

    def one(k):
        w, rng = Web(t.web, t.headers), random.Random(k)
        while time.perf_counter() < end:
            with lock:
                if count[0] >= most:
                    break
                count[0] += 1
            st, ttfb, dt, n, _ = w.get(make(rng), accept)
            if st in (200, 204, 206):
                lat.append(dt)
                first.append(ttfb)
                size[0] += n
            else:
                errors.append(st)
                if len(errors) > 5:
                    break
        w.close()
    t0 = time.perf_counter()
    threads = [threading.Thread(target=one, args=(k,)) for k in range(clients)]
    for th in threads:
        th.start()
    for th in threads:
        th.join()
    return sorted(lat), sorted(first), size[0], time.perf_counter() - t0, errors


# ----------------------------------------------------------------- targets

class Target:
    def __init__(self, a):
        self.name = a.name
        self.host, port = (a.dicom or "127.0.0.1:0").rsplit(":", 1)
        self.port = int(port)
        self.aet, self.calling = a.aet, a.calling_aet
        self.web = (a.web or "").rstrip("/")
        self.headers = {}
        for h in a.header or []:
            k, _, v = h.partition(":")
            self.headers[k.strip()] = v.strip()
        self.move_aet, self.move_port = a.move_aet, a.move_port
        self.work = a.work


class Plan:
    """Sizes of each step; --quick divides the work by about five."""

    def __init__(self, a):
        q = a.quick
        self.reps = a.reps or (1 if q else 3)
        self.levels = [1, 4] if q else [1, 4, 8]
        self.ct_studies, self.ct_slices = (8, 8) if q else (8, 25)
        self.tiny_studies, self.tiny_slices = (8, 40) if q else (8, 100)
        self.big_series = 200 if q else 1000
        self.wado_slices = 60 if q else 200
        self.mixed_studies = 6
        self.index = a.index_studies if a.index_studies is not None else (500 if q else 4000)
        self.qido_s, self.qido_n = (1.0, 60) if q else (2.5, 200)
        self.find_n = 30 if q else 100
        self.budget = a.budget or (90 if q else 480)


class Bench:
    def __init__(self, a):
        self.a, self.t, self.p = a, Target(a), Plan(a)
        roots = list(a.pids or [])
        if a.pid_file:
            with open(a.pid_file) as f:
                roots += [int(x) for x in f.read().split()]
        meta = {
            "name": a.name, "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%MZ"),
            "cores": os.cpu_count(), "cpu": cpu_name(), "memory_gib": round(
                os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2 ** 30),
            "kernel": platform.release(), "python": platform.python_version(),
            "generator": gen.GENERATOR_VERSION, "seed": a.seed, "quick": a.quick,
            "salt": a.salt, "preloaded_studies": a.preloaded, "reps": self.p.reps, "index_studies": self.p.index,
            "label": a.label,
        }
        self.r = Report(meta, Tree(roots))
        self.seed_no = a.salt * 1000
        self.kept = {}
        self.t_end = time.monotonic() + self.p.budget

    def data(self, mode, **kw):
        self.seed_no += 1
        return list(gen.studies(mode, self.a.seed * 1_000_003 + self.seed_no, **kw))

    @staticmethod
    def flat(st):
        return [i for s in st for i in s]

    def late(self, what, share=1.0):
        left = self.t_end - time.monotonic()
        if left < self.p.budget * (1 - share) or left < 5:
            self.r.note(f"{what}: cut short, time budget")
            return True
        return False

    # (a) and (b) ingest -------------------------------------------------

    def _ingest(self, key, insts, run):
        with self.r.measured(key, len(insts)):
            dt, bad = run()
        if bad:
            self.r.note(f"{key}: {bad} of {len(insts)} refused")
            if bad == len(insts):
                return
        n = len(insts) - bad
        self.r.add(key, n / dt, "inst/s", "higher")
        self.r.add(key + ".mb", sum(i.size for i in insts) * n / len(insts) / dt / 1e6, "MB/s", "higher")
        log(f"{key}: {n / dt:.0f} inst/s, {self.r.metrics[key + '.mb']['samples'][-1]:.1f} MB/s")

    def _lag(self, key, insts):
        """Seconds until QIDO-RS lists all of one study just acknowledged."""
        if not self.t.web:
            return
        study = insts[-1].study
        want = sum(i.study == study for i in insts)
        w, t0 = Web(self.t.web, self.t.headers), time.perf_counter()
        while time.perf_counter() - t0 < 10:
            st, _, _, _, data = w.get(f"/studies/{study}/instances?limit=2000", keep=True)
            if st == 200 and data.count(b'"00080018"') >= want:
                break
            time.sleep(.02)
        else:
            self.r.note(f"{key}: not all acknowledged instances listed after 10 s")
        self.r.add(key + ".lag", time.perf_counter() - t0, "s until listed", "lower")
        w.close()

    def phase_cstore(self, share=.35):
        p = self.p
        kinds = [("ct", lambda: self.data("ct", count=p.ct_studies, slices=p.ct_slices)),
                 ("tiny", lambda: self.data("tiny", count=p.tiny_studies, slices=p.tiny_slices))]
        for rep in range(p.reps):
            for kind, make in kinds:
                for n in p.levels:
                    key = f"cstore.{kind}.a{n}"
                    if rep and self.late(key, share):
                        return
                    insts = self.flat(make())
                    self._ingest(key, insts, lambda: store(self.t, insts, n))
                    if rep == 0:
                        self._lag(key, insts)
        if self.a.dcmtk_check and not self.late("dcmsend", share):
            for tool in ("dcmsend", "storescu"):
                if shutil.which(tool):
                    for kind, make in kinds:
                        insts = self.flat(make())
                        key = f"cstore.{kind}.a4.{tool}"
                        self._ingest(key, insts, lambda: store(self.t, insts, 4, tool))

    def phase_mixed(self):
        """Realistic mix; also the data of the read tests and of the check."""
        p = self.p
        insts = self.flat(self.data("mixed", count=p.mixed_studies, slices=p.wado_slices))
        self._ingest("cstore.mixed.a4", insts, lambda: store(self.t, insts, 4))
        self.kept["mixed"] = insts
        big = self.flat(self.data("tiny", count=1, slices=p.big_series))
        self._ingest("cstore.oneseries.a8", big, lambda: store(self.t, big, 8, by_study=False))
        self.kept["big"] = big

    def phase_stow(self, share=.55):
        p = self.p
        kinds = [("ct", 10, lambda: self.data("ct", count=p.ct_studies, slices=p.ct_slices)),
                 ("tiny", 50, lambda: self.data("tiny", count=p.tiny_studies, slices=p.tiny_slices))]
        for rep in range(p.reps):
            for kind, per, make in kinds:
                for n in p.levels:
                    key = f"stow.{kind}.c{n}"
                    if rep and self.late(key, share):
                        return
                    insts = self.flat(make())
                    self._ingest(key, insts, lambda: stow(self.t, insts, n, per))
                    if rep == 0:
                        self._lag(key, insts)

    # (c) QIDO-RS ----------------------------------------------------------

    def phase_index(self):
        if not self.p.index:
            return
        studies = self.data("index", count=self.p.index)
        insts = self.flat(studies)
        self._ingest("stow.index.c4", insts, lambda: stow(self.t, insts, 4, 100))
        self.kept["index"] = insts

    def phase_qido(self):
        p, idx = self.p, self.kept.get("index")
        if not idx:
            idx = self.flat(self.data("index", count=200))
            stow(self.t, idx, 4, 100)
        ct = [i for i in self.kept.get("mixed", []) if i.modality == "CT"]
        quote = urllib.parse.quote
        names = sorted({i.name for i in idx})
        ascii_p = sorted({n[:3] for n in names if n[:4].isascii() and n[:3].isalpha()})
        other_p = sorted({n[:3] for n in names if not n[:3].isascii()})
        pids = sorted({i.pid for i in idx})
        days = sorted({i.date for i in idx})

        def span(rng):
            k = rng.randrange(len(days))
            return days[k], days[min(len(days) - 1, k + 14)]

        def by_date(rng):
            lo, hi = span(rng)
            return f"/studies?StudyDate={lo}-{hi}&ModalitiesInStudy=CT&limit=100"
        queries = [
            ("pid", lambda g: f"/studies?PatientID={quote(g.choice(pids))}"),
            ("date_mod", by_date),
            ("name", lambda g: f"/studies?PatientName={quote(g.choice(ascii_p))}*&limit=100"),
            ("page_first", lambda g: "/studies?limit=50&offset=0"),
            ("page_deep", lambda g: f"/studies?limit=50&offset={max(0, self.a.preloaded + len(idx) - 100 - g.randrange(50))}"),
            ("series", lambda g: f"/studies/{g.choice(idx).study}/series"),
        ]
        if ct:
            queries.append(("instances", lambda g: f"/studies/{ct[0].study}/series/{ct[0].series}/instances?limit=1000"))
        if other_p:
            queries.append(("name_nonascii", lambda g: f"/studies?PatientName={quote(g.choice(other_p))}*&limit=100"))
        for key, make in queries:
            for n in (1, 8):
                if self.late("qido." + key, .93):
                    return
                full = f"qido.{key}.c{n}"
                with self.r.measured(full) as m:
                    lat, _, _, dt, err = hammer(self.t, make, n, p.qido_s, p.qido_n * (1 if n == 1 else 2),
                                                "application/dicom+json")
                    m["n"] = len(lat)
                self._latency(full, lat, dt, err)
        # Does it find what was stored?  (a lower bound: other data may match too)
        w = Web(self.t.web, self.t.headers)
        rng = random.Random(5)
        checks = collections.defaultdict(list)
        for pid in rng.sample(pids, min(5, len(pids))):
            want = {i.study for i in idx if i.pid == pid}
            checks["pid"].append((f"/studies?PatientID={pid}&limit=5000", want))
        for pre in rng.sample(ascii_p, min(4, len(ascii_p))):
            want = {i.study for i in idx if i.name.startswith(pre)}
            checks["name"].append((f"/studies?PatientName={quote(pre)}*&limit=20000", want))
        for pre in rng.sample(other_p, min(4, len(other_p))):
            want = {i.study for i in idx if i.name.startswith(pre)}
            checks["name_nonascii"].append((f"/studies?PatientName={quote(pre)}*&limit=20000", want))
        lo, hi = span(rng)
        checks["date_mod"].append((f"/studies?StudyDate={lo}-{hi}&ModalitiesInStudy=CT&limit=5000",
                                   {i.study for i in idx if lo <= i.date <= hi and i.modality == "CT"}))
        for key, many in checks.items():
            hit = total = 0
            for path, want in many:
                st, _, _, _, data = w.get(path, keep=True)
                hit += sum(s.encode() in data for s in want) if st == 200 else 0
                total += len(want)
            if total:
                self.r.add(f"qido.{key}.recall", hit / total, "found/stored", "higher")
        w.close()

    def _latency(self, key, lat, dt, err, size=None, first=None):
        if err:
            self.r.note(f"{key}: {len(err)} errors, e.g. HTTP status {err[0]}")
        if not lat:
            return
        for q in (50, 95, 99):
            self.r.add(f"{key}.p{q}", pct(lat, q / 100) * 1e3, "ms", "lower")
        self.r.add(f"{key}.rate", len(lat) / dt, "req/s", "higher")
        if size:
            self.r.add(f"{key}.mb", size / dt / 1e6, "MB/s", "higher")
        if first:
            self.r.add(f"{key}.ttfb", pct(first, .5) * 1e3, "ms", "lower")
        log(f"{key}: p50 {pct(lat, .5) * 1e3:.1f} ms, {len(lat) / dt:.0f}/s ({len(lat)})")

    # (d) WADO-RS -----------------------------------------------------------

    def phase_wado(self):
        p = self.p
        ct = [i for i in self.kept["mixed"] if i.modality == "CT"]
        us = [i for i in self.kept["mixed"] if i.modality == "US"]
        big = self.kept["big"]
        dcm = 'multipart/related; type="application/dicom"; transfer-syntax=*'
        raw = 'multipart/related; type="application/octet-stream"'
        js = "application/dicom+json"

        def at(i):
            return f"/studies/{i.study}/series/{i.series}/instances/{i.sop}"
        short = max(1.0, p.qido_s)
        tests = [   # key, path, accept, requests by 1 client and by several, clients
            ("study", lambda g: f"/studies/{ct[0].study}", dcm, p.reps, 2 * p.reps, 4),
            ("instance", lambda g: at(g.choice(ct)), dcm, p.qido_n, 2 * p.qido_n, 8),
            ("frame", lambda g: at(g.choice(ct)) + "/frames/1", raw, p.qido_n, 2 * p.qido_n, 8),
            ("usframe", lambda g: at(us[0]) + f"/frames/{g.randint(1, us[0].frames)}",
             'multipart/related; type="image/jpeg"; transfer-syntax=1.2.840.10008.1.2.4.50',
             p.qido_n, 2 * p.qido_n, 8),
            ("rendered", lambda g: at(g.choice(ct)) + "/rendered", "image/jpeg", p.qido_n, 2 * p.qido_n, 8),
        ]
        for key, i, n in (("meta_ct", ct[0], len(ct)), ("meta_big", big[0], len(big))):
            path = f"/studies/{i.study}/series/{i.series}/metadata"
            w = Web(self.t.web, self.t.headers)
            st, first, dt, size, data = w.get(path, js, keep=True)
            w.close()
            if st == 200:
                self.r.add(f"wado.{key}.first_ms", dt * 1e3, "ms, first call", "lower")
                got = data.count(b'"00080018"')
                if got < n:
                    self.r.note(f"wado.{key}: metadata of {got} instances instead of {n}")
            tests.append((key, lambda g, path=path: path, js, p.reps, 2 * p.reps, 4))
        for key, make, accept, n1, n8, many in tests:
            for clients, most in ((1, n1), (many, n8)):
                if self.late("wado." + key, .97):
                    return
                full = f"wado.{key}.c{clients}"
                limit = short if most > 20 else 12
                with self.r.measured(full) as m:
                    lat, first, size, dt, err = hammer(self.t, make, clients, limit, most, accept)
                    m["n"] = len(lat)
                self._latency(full, lat, dt, err, size, first)

    # (e) DIMSE query and retrieve --------------------------------------------

    def phase_dimse(self):
        t, p = self.t, self.p
        idx = self.kept.get("index") or self.kept["mixed"]
        with tempfile.TemporaryDirectory(dir=t.work) as d:
            files = []
            rng = random.Random(7)
            for k in range(p.find_n):
                ds = gen.Dataset()
                ds.QueryRetrieveLevel = "STUDY"
                ds.PatientID = rng.choice(idx).pid
                for kw in ("StudyInstanceUID", "StudyDate", "AccessionNumber", "PatientName", "ModalitiesInStudy"):
                    setattr(ds, kw, "")
                files.append(os.path.join(d, f"q{k}.dcm"))
                gen.pydicom.dcmwrite(files[-1], ds, implicit_vr=True, little_endian=True)
            base = ["findscu", "-q", "-S", "-aet", t.calling, "-aec", t.aet, t.host, str(t.port)]

            def find(procs):
                t0 = time.perf_counter()
                ps = [subprocess.Popen(base + files[k::procs], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL) for k in range(procs)]
                bad = sum(x.wait(timeout=120) != 0 for x in ps)
                return time.perf_counter() - t0, bad
            for n in (1, 4):
                for _ in range(p.reps):
                    if self.late("cfind", .98):
                        return
                    with self.r.measured(f"cfind.pid.a{n}", p.find_n):
                        dt, bad = find(n)
                    if bad:
                        self.r.note(f"cfind.pid.a{n}: findscu failed")
                        break
                    self.r.add(f"cfind.pid.a{n}", p.find_n / dt, "queries/s", "higher")
        ct = [i for i in self.kept["mixed"] if i.modality == "CT"]
        size = sum(i.size for i in ct)
        keys = ["-k", "QueryRetrieveLevel=SERIES", "-k", f"StudyInstanceUID={ct[0].study}",
                "-k", f"SeriesInstanceUID={ct[0].series}"]

        def timed(key, cmd):
            for _ in range(p.reps):
                if self.late(key, .99):
                    return
                with self.r.measured(key, len(ct)):
                    t0 = time.perf_counter()
                    try:
                        out = subprocess.run(cmd, capture_output=True, text=True, timeout=60)
                        ok = out.returncode == 0
                    except subprocess.TimeoutExpired:
                        ok = False
                    dt = time.perf_counter() - t0
                moved = moved_count(out.stdout + out.stderr) if ok else 0
                if not ok or moved < len(ct):
                    self.r.note(f"{key}: {moved} of {len(ct)} instances came")
                    if not moved:
                        return
                self.r.add(key, moved / dt, "inst/s", "higher")
                self.r.add(key + ".mb", size * moved / len(ct) / dt / 1e6, "MB/s", "higher")
                log(f"{key}: {moved / dt:.0f} inst/s")

        def moved_count(text):
            best = 0
            for line in text.splitlines():
                low = line.lower()
                if "completed suboperations" in low or "completed sub" in low:
                    digits = "".join(c for c in line.split(":")[-1] if c.isdigit())
                    best = max(best, int(digits or 0))
            return best
        timed("cget.ct", ["getscu", "-d", "--ignore", "-S", "-pdu", "131072", "-aet", t.calling,
                          "-aec", t.aet, *keys, t.host, str(t.port)])
        if t.move_port:
            with storescp(t.move_port, t.move_aet, "null", t.work):
                timed("cmove.ct", ["movescu", "-d", "-S", "-aet", t.calling, "-aec", t.aet,
                                   "-aem", t.move_aet, *keys, t.host, str(t.port)])

    # (g) fidelity --------------------------------------------------------------

    def phase_fidelity(self):
        """Send one of each kind both ways, fetch it again, compare."""
        for way in ("cstore", "stow"):
            insts = []
            for st in self.data("mixed", count=6, slices=2):
                seen = set()
                for i in st:
                    if i.cls not in seen:
                        seen.add(i.cls)
                        insts.append(i)
            dt, bad = store(self.t, insts, 1) if way == "cstore" else stow(self.t, insts, 1, 4)
            if bad:
                self.r.note(f"fidelity.{way}: {bad} refused")
            w = Web(self.t.web, self.t.headers)
            same_bytes = same_data = 0
            reasons = collections.defaultdict(list)
            for i in insts:
                for _ in range(20):
                    st, _, _, _, body = w.get(f"/studies/{i.study}/series/{i.series}/instances/{i.sop}",
                                              'multipart/related; type="application/dicom"; transfer-syntax=*', keep=True)
                    if st == 200:
                        break
                    time.sleep(.1)
                if st != 200:
                    self.r.note(f"fidelity.{way}: {i.modality} not retrieved (HTTP status {st})")
                    continue
                b, d, why = same(i, body)
                same_bytes += b
                same_data += d
                if why:
                    reasons[why].append(i.modality)
            for why, kinds in reasons.items():
                self.r.note(f"fidelity.{way}: {why}: {len(kinds)} of {len(insts)} ({', '.join(sorted(set(kinds)))})")
            w.close()
            self.r.add(f"fidelity.{way}.bytes", same_bytes / len(insts), "same dataset bytes", "higher")
            self.r.add(f"fidelity.{way}.data", same_data / len(insts), "same elements", "higher")

    def run(self, phases):
        for ph in phases:
            t0 = time.monotonic()
            try:
                getattr(self, "phase_" + ph)()
            except Exception as e:                                # keep what was measured
                self.r.note(f"phase {ph} failed: {type(e).__name__}: {e}")
            self.r.add(f"took.{ph}", time.monotonic() - t0, "s", "info")
            log(f"-- {ph}: {time.monotonic() - t0:.1f} s")
        return self.r.dump(self.a.out)


def same(inst, multipart):
    """(same dataset bytes, same elements, first difference)"""
    start = multipart.find(b"DICM")
    if start < 128:
        return False, False, "no DICOM part in the answer"
    part = multipart[start - 128:]
    end = part.rfind(b"\r\n--")
    part = part[:part.rfind(b"\r\n--", 0, end)] if part[end + 4:].strip(b"-\r\n") == b"" else part[:end]
    sent = inst.file_bytes()
    a = gen.pydicom.dcmread(io.BytesIO(sent))
    b = gen.pydicom.dcmread(io.BytesIO(part), force=True)
    n = 144 + struct.unpack_from("<I", part, 140)[0]
    if part[n:] == sent[inst.data_at:]:
        return True, True, None
    if a.file_meta.TransferSyntaxUID != b.file_meta.TransferSyntaxUID:
        return False, False, f"came as {b.file_meta.TransferSyntaxUID}"
    for e in a:
        if e.tag not in b or b[e.tag] != e:
            return False, False, f"{e.tag} differs"
    extra = [x.tag for x in b if x.tag not in a]
    return False, not extra, f"added {extra}" if extra else "same elements, other encoding"


def cpu_name():
    with contextlib.suppress(OSError):
        for line in open("/proc/cpuinfo"):
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor()


# -------------------------------------------------------------------- sinks

@contextlib.contextmanager
def storescp(port, aet, kind, work):
    """dcmtk's storescp as a receiver: null (drops) or disk (writes)."""
    d = tempfile.mkdtemp(dir=work)
    flags = ["--ignore"] if kind == "null" else ["+B", "+uf", "-od", d]
    p = subprocess.Popen(["storescp", "-q", "--fork", "+xa", "-pm", "-pdu", "131072", "-aet", aet, *flags, str(port)],
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            time.sleep(.05)
        yield p.pid
    finally:
        p.send_signal(signal.SIGTERM)
        p.wait(timeout=10)
        shutil.rmtree(d, ignore_errors=True)


class _HttpSink(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1                       # head and body of the answer in one write
    folder = None

    def do_POST(self):
        left = int(self.headers["Content-Length"])
        out = None
        if self.folder:
            out = open(os.path.join(self.folder, f"{threading.get_ident()}-{time.time_ns()}"), "wb")
        buf = memoryview(bytearray(1 << 20))
        while left:
            k = self.rfile.readinto(buf[:min(left, len(buf))])
            if not k:
                return
            left -= k
            if out:
                out.write(buf[:k])
        if out:
            out.flush()
            os.fsync(out.fileno())
            out.close()
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")
        self.wfile.flush()

    def log_message(self, *a):
        pass


class _Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 64


@contextlib.contextmanager
def http_sink(kind, work):
    d = tempfile.mkdtemp(dir=work) if kind != "null" else None
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            _HttpSink.folder = d
            srv = _Server(("127.0.0.1", 0), _HttpSink)
            os.write(w, str(srv.server_port).encode())
            os.close(w)
            signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
            signal.alarm(900)
            srv.serve_forever()
        finally:
            os._exit(1)
    os.close(w)
    port = int(os.read(r, 16))
    os.close(r)
    try:
        yield pid, f"http://127.0.0.1:{port}"
    finally:
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)
        if d:
            shutil.rmtree(d, ignore_errors=True)


def cmd_sink(a):
    """Physical limits with the same data and clients as `run`.

    null  storescp --ignore            and an HTTP server that drops bodies
    disk  storescp that writes files   and an HTTP server that writes + fsyncs
    Plus, for disk: write + fsync + rename of each file, no network at all.
    """
    b = Bench(a)
    b.t.web = ""
    if a.kind == "disk" and not a.sink_dir:
        sys.exit("sink disk needs --sink-dir, a folder on the disk to measure")
    where = a.sink_dir or a.work
    with storescp(a.sink_port, a.aet, a.kind, where) as pid:
        b.t.host, b.t.port = "127.0.0.1", a.sink_port
        b.r.tree.roots = {pid}
        b.phase_cstore(1.0)
        b.phase_mixed()
    with http_sink(a.kind, where) as (pid, url):
        b.t.web = url
        b.r.tree.roots = {pid}
        b._lag = lambda *x: None
        b.phase_stow(1.0)
    if a.kind == "disk":
        b.r.tree.roots = set()
        for rep in range(b.p.reps):
            for kind, kw in (("ct", dict(count=b.p.ct_studies, slices=b.p.ct_slices)),
                             ("tiny", dict(count=b.p.tiny_studies, slices=b.p.tiny_slices))):
                for n in b.p.levels:
                    insts = b.flat(b.data(kind, **kw))
                    b._ingest(f"fsync.{kind}.t{n}", insts, lambda: fsync_files(insts, n, where))
    return b.r.dump(a.out)


def fsync_files(insts, n, where):
    d = tempfile.mkdtemp(dir=where)

    def one(k):
        for j, i in enumerate(insts[k::n]):
            tmp = os.path.join(d, f"{k}-{j}.tmp")
            fd = os.open(tmp, os.O_WRONLY | os.O_CREAT, 0o600)
            os.writev(fd, [i.head, i.pix] if i.pix else [i.head])
            os.fsync(fd)
            os.close(fd)
            os.rename(tmp, tmp[:-4])
    with cf.ThreadPoolExecutor(n) as ex:
        t0 = time.perf_counter()
        list(ex.map(one, range(n)))
        dt = time.perf_counter() - t0
    shutil.rmtree(d)
    return dt, 0


def cmd_clients(a):
    """The clients side by side, all sending to storescp --ignore."""
    b = Bench(a)
    b.t.web = ""
    with storescp(a.sink_port, a.aet, "null", a.work) as pid:
        b.t.host, b.t.port = "127.0.0.1", a.sink_port
        b.r.tree.roots = {pid}
        for rep in range(b.p.reps):
            for kind, kw in (("ct", dict(count=b.p.ct_studies, slices=b.p.ct_slices)),
                             ("tiny", dict(count=b.p.tiny_studies, slices=b.p.tiny_slices))):
                for tool in ("socket", "dcmsend", "storescu"):
                    for n in (1, 4):
                        insts = b.flat(b.data(kind, **kw))
                        b._ingest(f"client.{kind}.a{n}.{tool}", insts, lambda: store(b.t, insts, n, tool))
    return b.r.dump(a.out)


def cmd_preload(a):
    """Fill the index: small pixel-less instances by STOW-RS, made on the fly."""
    t = Target(a)
    if not a.web:
        sys.exit("preload needs --web")
    per = a.series * a.slices
    done = bad = 0
    t0 = last = time.monotonic()
    mark = 0
    batch = []

    def flush():
        nonlocal batch, done, bad, last, mark
        _, b = stow(t, batch, a.connections, 100)
        done += len(batch)
        bad += b
        batch = []
        if time.monotonic() - last > 10:
            log(f"{done} instances, {(done - mark) / (time.monotonic() - last):.0f}/s now, "
                f"{done / (time.monotonic() - t0):.0f}/s overall, {bad} refused")
            last, mark = time.monotonic(), done
    for st in gen.studies("index", a.seed * 7919 + a.salt, count=max(1, a.instances // per), slices=a.slices, series=a.series):
        batch += st
        if len(batch) >= 2000:
            flush()
        if a.budget and time.monotonic() - t0 > a.budget:
            log("stopped: time budget")
            break
    if batch:
        flush()
    dt = time.monotonic() - t0
    doc = {"instances": done, "studies": done // per, "refused": bad, "seconds": round(dt, 1), "per_second": round(done / dt, 1)}
    print(json.dumps(doc))


# ------------------------------------------------------------------- tables

HIDE = (".client_cpu", ".foreign", ".p95", ".mem", "took.")
PHASE_TITLES = [("fidelity", "Fidelity"), ("cstore", "C-STORE ingest"), ("stow", "STOW-RS ingest"),
                ("fsync", "Write + fsync + rename, no network"), ("client", "C-STORE clients into a null sink"),
                ("qido", "QIDO-RS"), ("wado", "WADO-RS"), ("cfind", "C-FIND"), ("cget", "C-GET"),
                ("cmove", "C-MOVE")]


BRIEF = """fidelity.cstore.bytes fidelity.cstore.data fidelity.stow.bytes cstore.ct.a1 cstore.ct.a4
cstore.ct.a8 cstore.ct.a4.mb cstore.tiny.a1 cstore.tiny.a4 cstore.tiny.a8 cstore.ct.a4.dcmsend
cstore.tiny.a4.dcmsend cstore.mixed.a4.mb cstore.oneseries.a8 stow.ct.c1 stow.ct.c4 stow.ct.c8 stow.tiny.c1
stow.tiny.c4 stow.tiny.c8 stow.index.c4 fsync.ct.t1 fsync.ct.t4 fsync.ct.t8 fsync.tiny.t1 fsync.tiny.t4
fsync.tiny.t8 qido.pid.c1.p50 qido.pid.c8.p50 qido.pid.c8.p99 qido.pid.c8.rate qido.date_mod.c1.p50
qido.date_mod.c8.p50 qido.date_mod.c8.p99 qido.name.c1.p50 qido.name.c8.p50 qido.name.c8.p99
qido.page_first.c1.p50 qido.page_deep.c1.p50 qido.page_deep.c8.p50 qido.series.c1.p50 qido.series.c8.rate
qido.instances.c1.p50 qido.instances.c8.p50 qido.name_nonascii.recall wado.study.c1.mb wado.study.c1.ttfb
wado.study.c4.mb wado.instance.c1.p50 wado.instance.c8.rate wado.frame.c1.p50 wado.frame.c8.rate
wado.usframe.c8.rate wado.rendered.c1.p50 wado.rendered.c8.rate wado.meta_ct.c1.p50 wado.meta_big.c1.p50
wado.meta_big.first_ms cfind.pid.a1 cfind.pid.a4 cget.ct cget.ct.mb cmove.ct cmove.ct.mb
cstore.ct.a4.cpu cstore.tiny.a4.cpu stow.tiny.c4.cpu qido.pid.c8.cpu wado.instance.c8.cpu""".split()


# -------------------------------------------------------------- sustained load

def renewed(insts, serial):
    """The same instances under UIDs that nobody has seen: digits of the same
    length are exchanged in the ready-made header, the pixels are shared."""
    digits = f"{serial:09d}"

    def fresh(u):
        return u[:-9] + digits if len(u) < 30 else u[:-18] + digits + u[-9:]
    out = []
    for i in insts:
        head = i.head
        for old in (i.study, i.series, i.sop):
            head = head.replace(old.encode(), fresh(old).encode())
        c = copy.copy(i)
        c.head, c.study, c.series, c.sop = head, fresh(i.study), fresh(i.series), fresh(i.sop)
        out.append(c)
    return out


def cmd_sustain(a):
    """Every association stores one study after the other until the time or the
    volume is reached; a line each ten seconds; then waits until all is listed."""
    b = Bench(a)
    ct = a.kind == "ct"
    bases = b.data(a.kind, count=a.associations, slices=25 if ct else 100)
    t, lock = b.t, threading.Lock()
    state = {"n": 0, "bytes": 0, "bad": 0, "serial": a.salt % 100000 * 1000, "last": None}
    t0 = time.perf_counter()
    t_end, most = t0 + a.seconds, a.gigabytes * 1e9 if a.gigabytes else float("inf")

    def one(k):
        base = b.flat([bases[k]])
        assoc = Association(t.host, t.port, t.aet, t.calling, list(dict.fromkeys((i.cls, i.ts) for i in base)))
        while time.perf_counter() < t_end and state["bytes"] < most:
            with lock:
                state["serial"] += 1
                serial = state["serial"]
            insts = renewed(base, serial)
            for i in insts:
                bad = assoc.store(i) not in (0, 0xB000, 0xB006, 0xB007)
                with lock:
                    state["n"] += not bad
                    state["bad"] += bad
                    state["bytes"] += i.size
                if bad:
                    time.sleep(.05)
            state["last"] = insts
        assoc.release()
    samples = []
    key = f"sustain.{a.kind}.a{a.associations}"
    with b.r.measured(key) as out, cf.ThreadPoolExecutor(a.associations) as ex:
        jobs = [ex.submit(one, k) for k in range(a.associations)]
        n0, tm = 0, t0
        while not all(j.done() for j in jobs):
            time.sleep(.2)
            now = time.perf_counter()
            if now - tm >= 10:
                samples.append((state["n"] - n0) / (now - tm))
                log(f"{key}: {samples[-1]:.0f} inst/s over the last {now - tm:.0f} s, {state['bytes'] / 1e9:.1f} GB, {state['bad']} refused")
                n0, tm = state["n"], now
        for j in jobs:
            j.result()
        out["n"] = state["n"]
    dt = time.perf_counter() - t0
    b.r.add(key, state["n"] / dt, "inst/s", "higher")
    b.r.add(key + ".mb", state["bytes"] / dt / 1e6, "MB/s", "higher")
    b.r.add(key + ".slowest10s", min(samples, default=NAN), "inst/s", "higher")
    b.r.add(key + ".refused", state["bad"], "instances", "lower")
    if state["last"]:
        b._lag(key, state["last"])
    return b.r.dump(a.out)


def brief(docs):
    names = [d["meta"]["name"] for d in docs]
    out = ["| metric | unit | " + " | ".join(names) + " |", "|---|---|" + "---:|" * len(names)]
    for k in BRIEF:
        have = [d["metrics"][k] for d in docs if k in d["metrics"]]
        if have:
            out.append(f"| {k} | {have[0]['unit']} | " + " | ".join(
                num(d["metrics"].get(k, {}).get("value")) for d in docs) + " |")
    for prefix in ("cstore", "stow", "qido", "wado"):
        row = []
        for d in docs:
            v = [max(m["samples"]) for k, m in d["metrics"].items()
                 if k.startswith(prefix + ".") and k.endswith(".mem") and m["samples"]]
            row.append(num(max(v)) if v else "-")
        out.append(f"| {prefix}: peak memory | MB | " + " | ".join(row) + " |")
    return "\n".join(out)


def num(v):
    if v is None:
        return "-"
    return f"{v:.0f}" if abs(v) >= 100 else f"{v:.1f}" if abs(v) >= 10 else f"{v:.3g}"


def load(path):
    with open(path) as f:
        return json.load(f)


def table(docs, all_rows=False):
    names = [d["meta"]["name"] for d in docs]
    keys = list(dict.fromkeys(k for d in docs for k in d["metrics"]))
    out = []
    m = docs[0]["meta"]
    out.append(f"{m['cores']} cores ({m['cpu']}), {m['memory_gib']} GiB; {m['date']}; "
               f"medians of up to {max(d['meta']['reps'] for d in docs)} repetitions"
               + ("; quick mode" if m["quick"] else ""))
    for prefix, title in PHASE_TITLES:
        rows = [k for k in keys if k.split(".")[0] == prefix]
        if not all_rows:
            rows = [k for k in rows if not any(h in k for h in HIDE + (".cpu",)) and not (
                k.endswith(".mb") and "tiny" in k or k.endswith(".ttfb") and ".c1." not in k)]
        if not rows:
            continue
        out += ["", f"### {title}", "", "| metric | unit | " + " | ".join(names) + " |",
                "|---|---|" + "---:|" * len(names)]
        for k in rows:
            unit = next(d["metrics"][k]["unit"] for d in docs if k in d["metrics"])
            out.append(f"| {k} | {unit} | " + " | ".join(
                num(d["metrics"].get(k, {}).get("value")) for d in docs) + " |")
    cpu = [k for k in keys if k.endswith(".cpu")]
    if cpu and not all_rows:
        out += ["", "### Server CPU, ms for each instance or request", "",
                "| metric | " + " | ".join(names) + " |", "|---|" + "---:|" * len(names)]
        for k in cpu:
            out.append(f"| {k[:-4]} | " + " | ".join(num(d["metrics"].get(k, {}).get("value")) for d in docs) + " |")
    mem = [k for k in keys if k.endswith(".mem")]
    if mem and not all_rows:
        out += ["", "### Peak memory of the server's processes, MB", "",
                "| phase | " + " | ".join(names) + " |", "|---|" + "---:|" * len(names)]
        for prefix in dict.fromkeys(k.split(".")[0] for k in mem):
            def peak(d):
                v = [max(m["samples"]) for k, m in d["metrics"].items()
                     if k.startswith(prefix + ".") and k.endswith(".mem") and m["samples"]]
                return max(v) if v else None
            out.append(f"| {prefix} | " + " | ".join(num(peak(d)) for d in docs) + " |")
    busy = []
    for d in docs:
        v = [x for k, m in d["metrics"].items() if k.endswith(".foreign") for x in m["samples"]]
        if v:
            busy.append(f"{d['meta']['name']} {statistics.median(v):.2f}")
    if busy:
        out += ["", "Cores taken by other programs meanwhile (median): " + ", ".join(busy)]
    for d in docs:
        if d["notes"]:
            out += ["", f"Notes for {d['meta']['name']}:"] + [f"- {n}" for n in d["notes"]]
    return "\n".join(out)


def merge(docs):
    """Runs of one target as one: samples pooled, medians taken anew."""
    out = {"meta": dict(docs[0]["meta"], runs=len(docs), reps=sum(d["meta"]["reps"] for d in docs)),
           "notes": list(dict.fromkeys(n for d in docs for n in d["notes"])), "metrics": {}}
    for d in docs:
        for k, m in d["metrics"].items():
            into = out["metrics"].setdefault(k, dict(m, samples=[]))
            into["samples"] += m["samples"]
    for m in out["metrics"].values():
        m["value"] = statistics.median(m["samples"]) if m["samples"] else None
    return out


def compare(a, b, all_rows=False):
    na, nb = a["meta"]["name"], b["meta"]["name"]
    out = [f"Ratio > 1: {nb} is better than {na}.", "",
           f"| metric | unit | {na} | {nb} | ratio |", "|---|---|---:|---:|---:|"]
    logs = collections.defaultdict(list)
    import math
    for k, ma in a["metrics"].items():
        mb = b["metrics"].get(k)
        if not mb or ma["better"] == "info" or (not all_rows and any(h in k for h in HIDE)):
            continue
        va, vb = ma["value"], mb["value"]
        ratio = None
        if va and vb:
            ratio = vb / va if ma["better"] == "higher" else va / vb
            group = k.split(".")[0] + (" " + k.split(".")[-1] if k.endswith((".mem", ".cpu")) else "")
            if not k.endswith((".p95", ".p99", ".mb", ".ttfb", ".recall", ".lag")):
                logs[group].append(math.log(ratio))
        out.append(f"| {k} | {ma['unit']} | {num(va)} | {num(vb)} | {num(ratio)} |")
    out += ["", "Geometric means of the ratios:", ""]
    out += [f"- {g}: {math.exp(statistics.mean(v)):.2f} ({len(v)} metrics)" for g, v in logs.items()]
    return "\n".join(out)


PHASES = ["fidelity", "cstore", "mixed", "stow", "index", "qido", "wado", "dimse"]


def main():
    argv = sys.argv[1:]
    if argv and argv[0] == "--compare":
        argv[0] = "compare"
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sub = ap.add_subparsers(dest="cmd", required=True)

    def common(p, server=True):
        p.add_argument("--name", default="target", help="column title in tables")
        p.add_argument("--label", default="", help="free text kept in the JSON: version, configuration")
        p.add_argument("--out", help="JSON to write")
        p.add_argument("--seed", type=int, default=1)
        p.add_argument("--salt", type=int, default=int(time.time()) % 10 ** 9,
                       help="makes the UIDs of this run new; fix it for identical data")
        p.add_argument("--work", default=os.environ.get("BENCH_WORK") or tempfile.gettempdir(),
                       help="scratch folder, best on tmpfs (env BENCH_WORK)")
        p.add_argument("--quick", action="store_true", help="about 60-90 s instead of 5-8 min")
        p.add_argument("--reps", type=int)
        p.add_argument("--budget", type=float, help="seconds for the whole run")
        p.add_argument("--aet", default="ORTHANC", help="called AE title")
        p.add_argument("--calling-aet", default="BENCH")
        p.add_argument("--index-studies", type=int)
        p.add_argument("--preloaded", type=int, default=0,
                       help="studies a preload put there before: moves the deep page")
        p.add_argument("--dicom", help="HOST:PORT of the DIMSE server")
        p.add_argument("--web", help="DICOMweb base URL")
        p.add_argument("--header", action="append", help='e.g. "Authorization: Bearer ..." (repeatable)')
        p.add_argument("--pids", type=lambda s: [int(x) for x in s.split(",")], help="root processes of the server")
        p.add_argument("--pid-file", help="file with those, one a line")
        p.add_argument("--move-aet", default="BENCHMOVE", help="C-MOVE destination the server knows")
        p.add_argument("--move-port", type=int, default=0, help="its port here; 0 skips C-MOVE")
        p.add_argument("--no-dcmtk-check", dest="dcmtk_check", action="store_false",
                       help="skip the cross-check of C-STORE with dcmsend and storescu")
        p.add_argument("--sink-port", type=int, default=int(os.environ.get("BENCH_SINK_PORT", 11191)))

    p = sub.add_parser("run", help="all phases against one server")
    common(p)
    p.add_argument("--only", help="phases, comma-separated: " + ",".join(PHASES) + " (mixed feeds wado and dimse)")
    p = sub.add_parser("sink", help="physical limits")
    p.add_argument("kind", choices=["null", "disk"])
    common(p)
    p.add_argument("--sink-dir", help="folder on the disk to measure")
    p = sub.add_parser("clients", help="compare C-STORE clients")
    common(p)
    p = sub.add_parser("preload", help="fill the index")
    common(p)
    p.add_argument("--instances", type=int, default=100000)
    p.add_argument("--series", type=int, default=2, help="in each study")
    p.add_argument("--slices", type=int, default=5, help="in each series")
    p.add_argument("--connections", type=int, default=4)
    p = sub.add_parser("sustain", help="store for minutes on end")
    common(p)
    p.add_argument("--kind", choices=["ct", "tiny"], default="tiny")
    p.add_argument("--seconds", type=float, default=600)
    p.add_argument("--gigabytes", type=float, help="stop after this volume")
    p.add_argument("--associations", type=int, default=8)
    for name in ("table", "compare", "merge"):
        p = sub.add_parser(name)
        p.add_argument("files", nargs="+")
        p.add_argument("--out", help="JSON to write (merge)")
        p.add_argument("--brief", action="store_true", help="the main rows only")
        p.add_argument("--all", action="store_true", help="client CPU and foreign load too")
    a = ap.parse_args(argv)
    if a.cmd == "table":
        docs = [load(f) for f in a.files]
        print(brief(docs) if a.brief else table(docs, a.all))
    elif a.cmd == "compare":
        if len(a.files) != 2:
            ap.error("compare takes two files")
        print(compare(load(a.files[0]), load(a.files[1]), a.all))
    elif a.cmd == "merge":
        doc = merge([load(f) for f in a.files])
        if a.out:
            with open(a.out, "w") as f:
                json.dump(doc, f, indent=1)
        print(table([doc]))
    elif a.cmd == "preload":
        cmd_preload(a)
    else:
        if a.cmd == "run":
            if not (a.dicom and a.web):
                ap.error("run needs --dicom and --web")
            phases = a.only.split(",") if a.only else PHASES
            doc = Bench(a).run(phases)
        else:
            doc = {"sink": cmd_sink, "clients": cmd_clients, "sustain": cmd_sustain}[a.cmd](a)
        print(table([doc]))


if __name__ == "__main__":
    main()
