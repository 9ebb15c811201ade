"""A SLURM of one node on this machine: with accounts, accounting, more processors than there are, and invented GPUs.

Everything lies in a folder of its own but the settings, which SLURM's jobs look for in `/etc/slurm` alone.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import psutil

MARK = "# Written by selfembed's tests, which remove it when they end.\n"
SETTINGS = Path("/etc/slurm")
NAMES = ("slurm.conf", "slurmdbd.conf", "gres.conf")
PROGRAMS = ("munged", "mariadbd", "mariadb-install-db", "slurmdbd", "slurmctld", "slurmd", "sbatch", "sacctmgr")
ACCOUNT, PARTITION = "study", "main"
GPUS = 3
START = 60  # seconds that a daemon may take to answer


def missing() -> str | None:
    """Why no cluster can be started here, or nothing."""
    os.environ["PATH"] = os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/sbin"])
    absent = [name for name in PROGRAMS if shutil.which(name) is None]
    if absent:
        return f"no SLURM here: {', '.join(absent)} not installed (Debian: slurm-wlm munge slurmdbd mariadb-server)"
    if os.geteuid() != 0:
        return "SLURM's daemons can be started by root alone"
    if any(process.info["name"] == "slurmctld" for process in psutil.process_iter(["name"])):
        return "a SLURM runs on this machine already"
    foreign = [str(SETTINGS / name) for name in NAMES if written_by_others(SETTINGS / name)]
    if foreign:
        return f"this machine has a SLURM of its own, which stays as it is: {', '.join(foreign)}"
    return None


def written_by_others(path: Path) -> bool:
    """Whether a file is there that these tests did not write."""
    return path.exists() and not path.read_text(encoding="utf-8").startswith(MARK)


class Cluster:
    """The cluster, from its start to its end, as a context."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.daemons: dict[str, subprocess.Popen] = {}
        self.node = socket.gethostname().split(".")[0]
        self.database, self.accounting, self.controller, self.worker = free_ports(4)

    def __enter__(self) -> "Cluster":
        try:
            self.start_all()
        except BaseException:
            self.end_all()
            raise
        return self

    def __exit__(self, *problem: object) -> None:
        self.end_all()

    def start_all(self) -> None:
        """Start the daemons in the order in which they need each other, and register an account."""
        self.write_settings()
        key = self.folder / "munge.key"
        key.touch(mode=0o600)
        key.write_bytes(os.urandom(128))
        places = [f"--{name}-file={self.folder}/munge.{name}" for name in ("key", "log", "pid", "seed")]
        self.start("munged", "--foreground", "--force", f"--socket={self.folder}/munge.socket", *places)
        wait_until(lambda: (self.folder / "munge.socket").exists(), "munged", START)
        self.start_database()
        self.start("slurmdbd", "-D")
        wait_until(lambda: answers("sacctmgr", "-n", "show", "cluster"), "slurmdbd", START)
        for words in (["cluster", "tests"], ["account", ACCOUNT], ["user", "root", f"account={ACCOUNT}"]):
            subprocess.run(["sacctmgr", "--immediate", "--quiet", "add", *words], check=True, capture_output=True)
        self.start("slurmctld", "-D", "-c")
        self.start("slurmd", "-D", "-N", self.node)
        wait_until(self.is_idle, "the node", START)

    def start_database(self) -> None:
        """Start a database that only this machine can reach, with a user for SLURM."""
        data = f"--datadir={self.folder}/database"
        made = ["mariadb-install-db", "--no-defaults", "--user=root", "--skip-test-db", data]
        subprocess.run(made, check=True, capture_output=True)
        first = self.folder / "first.sql"
        first.write_text(
            "CREATE USER 'slurm'@'%' IDENTIFIED BY 'slurm';\nGRANT ALL ON *.* TO 'slurm'@'%';\nFLUSH PRIVILEGES;\n"
        )
        files = [f"--{name}={self.folder}/mariadb.{name}" for name in ("socket", "pid-file")]
        where = ["--bind-address=127.0.0.1", f"--port={self.database}", f"--init-file={first}"]
        self.start("mariadbd", "--no-defaults", "--user=root", data, *files, *where)
        wait_until(lambda: is_open(self.database), "mariadbd", START)

    def start(self, program: str, *words: str) -> None:
        """Start a daemon that stays in the foreground."""
        with open(self.folder / f"{program}.out", "a") as output:
            self.daemons[program] = subprocess.Popen(
                [shutil.which(program), *words], stdout=output, stderr=output, start_new_session=True, cwd=self.folder
            )

    def end(self, program: str) -> None:
        """End a daemon, by force if it does not want to."""
        daemon = self.daemons.pop(program, None)
        if daemon is None:
            return
        daemon.terminate()
        try:
            daemon.wait(20)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()

    def end_all(self) -> None:
        """End the jobs and the daemons, last one first, and remove what lies outside the folder."""
        if "slurmctld" in self.daemons:
            subprocess.run(["scancel", "--user=root"], capture_output=True)
        self.end_steps(signal.SIGTERM)
        self.end_steps(signal.SIGKILL)
        for program in reversed(list(self.daemons)):
            self.end(program)
        for name in NAMES:
            if not written_by_others(SETTINGS / name):
                (SETTINGS / name).unlink(missing_ok=True)

    def end_steps(self, how: signal.Signals) -> None:
        """Send a signal to everything that runs in a job."""
        steps = [process for process in psutil.process_iter(["name"]) if process.info["name"] == "slurmstepd"]
        family = [member for step in steps for member in [*step.children(recursive=True), step]]
        for process in family:
            try:
                process.send_signal(how)
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(family, timeout=10)

    def reboot(self) -> None:
        """Everything on the node ends at once, the cluster finds out, and the node comes back."""
        self.daemons["slurmd"].kill()
        self.daemons.pop("slurmd").wait()
        self.end_steps(signal.SIGKILL)
        # Instead of SlurmdTimeout, after which the controller would find out by itself.
        lost = ["scontrol", "update", f"nodename={self.node}", "state=down", "reason=lost"]
        subprocess.run(lost, check=True)
        self.start("slurmd", "-D", "-b", "-N", self.node)
        wait_until(lambda: self.state() in ("idle", "mixed"), "the node", START)

    def state(self) -> str:
        """What the controller says of the node: `idle`, `mixed`, `down` and so on."""
        return said("sinfo", "--noheader", "--format=%T")

    def is_idle(self) -> bool:
        """Whether the node is ready for jobs and has none."""
        return self.state() == "idle"

    def write_settings(self) -> None:
        """SLURM's files. Nothing is bound to processors or measured by control groups: a container may have none."""
        SETTINGS.mkdir(exist_ok=True)
        folder, processors = self.folder, 2 * (os.cpu_count() or 1)
        memory = 4 * psutil.virtual_memory().total // 2**20  # asked for is more than used
        texts = {
            "slurm.conf": f"""
ClusterName=tests
SlurmctldHost={self.node}(127.0.0.1)
SlurmctldPort={self.controller}
SlurmdPort={self.worker}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
MpiDefault=none
ReturnToService=2
JobRequeue=1
MinJobAge=600
SchedulerParameters=batch_sched_delay=1,sched_interval=2
GresTypes=gpu
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={self.accounting}
AccountingStoragePass={folder}/munge.socket
AccountingStorageEnforce=associations
AccountingStorageTRES=gres/gpu
AccountingStoreFlags=job_comment
JobAcctGatherType=jobacct_gather/linux
NodeName={self.node} NodeAddr=127.0.0.1 CPUs={processors} RealMemory={memory} Gres=gpu:{GPUS} State=UNKNOWN
PartitionName={PARTITION} Nodes={self.node} Default=YES MaxTime=INFINITE State=UP
""",
            "slurmdbd.conf": f"""
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
DbdHost=localhost
DbdPort={self.accounting}
SlurmUser=root
LogFile={folder}/slurmdbd.log
PidFile={folder}/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={self.database}
StorageUser=slurm
StoragePass=slurm
StorageLoc=accounting
""",
            "gres.conf": f"\nNodeName={self.node} Name=gpu File={folder}/gpu[1-{GPUS}]\n",
        }
        for name in ("state", "spool"):
            (folder / name).mkdir()
        for number in range(GPUS):
            (folder / f"gpu{number + 1}").touch()
        for name, text in texts.items():
            (SETTINGS / name).touch(mode=0o600)
            (SETTINGS / name).write_text(MARK + text, encoding="utf-8")
        (SETTINGS / "slurm.conf").chmod(0o644)
        (SETTINGS / "gres.conf").chmod(0o644)


def free_ports(number: int) -> list[int]:
    """Ports that nothing listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [found.getsockname()[1] for found in sockets]
    for found in sockets:
        found.close()
    return ports


def is_open(port: int) -> bool:
    """Whether something listens on a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def answers(*command: str) -> bool:
    """Whether a command succeeds."""
    return subprocess.run(command, capture_output=True).returncode == 0


def said(*command: str) -> str:
    """What a command prints."""
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


def wait_until(condition, what: str, seconds: float) -> None:
    """Wait for something, and fail with its name."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not there after {seconds:.0f} seconds")
        time.sleep(0.2)
