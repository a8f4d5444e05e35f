"""What a change may not newly bring in, by name, with what it would do. Data only, no checks.

Written for gate 30, which counts these in a file before and after a change: what the genome
already does it may go on doing. The lists are a fence, not a wall: the wall is the sandbox.
"""

from __future__ import annotations

_PROCESSES = "starts, ends or steers processes"
_NETWORK = "talks to the network"
_FILES = "writes or deletes files"
_LOADS = "loads code or objects unsafely"
_MEMORY = "reaches below Python"
_INTERPRETER = "changes or watches the interpreter"
_JUDGES = "belongs to what judges changes"
_SURROUNDINGS = "reads or changes its surroundings"
_DYNAMIC = "makes code out of data"


def _words(names: str) -> tuple[str, ...]:
    """Divide ``names`` at spaces; lists of names read better so than one string each."""
    return tuple(names.split())


def _table(groups: dict[str, str]) -> dict[str, str]:
    """Turn why → names (divided by spaces) into name → why."""
    return {name: why for why, names in groups.items() for name in _words(names)}


#: Modules (with all below them) that a change may not newly import or use.
MODULES = _table(
    {
        _PROCESSES: "subprocess multiprocessing concurrent pty posix nt signal psutil pexpect sh",
        _NETWORK: "socket socketserver ssl http urllib ftplib smtplib poplib imaplib nntplib "
        "telnetlib xmlrpc asyncore asynchat webbrowser requests httpx aiohttp urllib3 websockets "
        "websocket paramiko",
        _FILES: "shutil tempfile fileinput",
        _LOADS: "pickle _pickle cPickle marshal shelve dbm dill cloudpickle joblib jsonpickle "
        "importlib imp runpy zipimport pkgutil code codeop builtins __builtin__ pip ensurepip venv",
        _MEMORY: "ctypes _ctypes cffi _thread",
        _INTERPRETER: "gc atexit trace bdb pdb cProfile profile tracemalloc faulthandler",
        _JUDGES: "pytest _pytest unittest doctest coverage hypothesis",
    }
)

#: What is harmless below a forbidden module.
HARMLESS = ("urllib.parse", "http.HTTPStatus", "concurrent.futures.Future")

#: ``module.name`` that a change may not newly use, where the module as a whole is no danger.
NAMES = _table(
    {
        _PROCESSES: "os.system os.popen os.fork os.forkpty os.kill os.killpg os.abort os._exit "
        "os.execl os.execle os.execlp os.execlpe os.execv os.execve os.execvp os.execvpe "
        "os.spawnl os.spawnle os.spawnlp os.spawnlpe os.spawnv os.spawnve os.spawnvp os.spawnvpe "
        "os.posix_spawn os.posix_spawnp os.startfile os.nice os.setpriority os.setsid os.setpgid "
        "os.sched_setaffinity os.sched_setscheduler asyncio.create_subprocess_exec "
        "asyncio.create_subprocess_shell asyncio.subprocess threading.Thread threading.Timer",
        _NETWORK: "asyncio.open_connection asyncio.start_server asyncio.open_unix_connection "
        "asyncio.start_unix_server",
        _FILES: "os.remove os.unlink os.rmdir os.removedirs os.rename os.renames os.replace "
        "os.truncate os.ftruncate os.link os.symlink os.chmod os.fchmod os.lchmod os.chown "
        "os.fchown os.lchown os.mkdir os.makedirs os.mkfifo os.mknod os.open os.write os.writev "
        "os.pwrite os.pwritev os.sendfile os.copy_file_range io.FileIO io.open_code",
        _LOADS: "yaml.load yaml.load_all yaml.full_load yaml.full_load_all yaml.unsafe_load "
        "yaml.unsafe_load_all pandas.read_pickle torch.load",
        _INTERPRETER: "sys.modules sys.path sys.meta_path sys.path_hooks sys.settrace "
        "sys.setprofile sys.monitoring sys._getframe sys._current_frames sys.setrecursionlimit "
        "sys.setswitchinterval sys.addaudithook sys.__dict__ os.__dict__ threading.settrace "
        "threading.setprofile inspect.currentframe inspect.stack resource.setrlimit",
        _SURROUNDINGS: "os.environ os.environb os.getenv os.getenvb os.putenv os.unsetenv "
        "os.chdir os.fchdir os.chroot os.setuid os.setgid os.umask os.dup os.dup2 os.closerange",
        _DYNAMIC: "types.CodeType types.FunctionType typing.ForwardRef",
    }
)

#: Builtins that a change may not newly name.
BUILTINS = _table(
    {
        _DYNAMIC: "eval exec compile __import__",
        _INTERPRETER: "globals breakpoint __builtins__ __loader__ __spec__",
    }
)

#: Modules that may not be handed on as a value, where nobody sees what is taken from them.
CLOSED_MODULES = frozenset({"os", "sys", "io", *MODULES})

#: Callables that open files: harmless for reading.
OPENERS = frozenset(
    _words(
        "open io.open os.fdopen codecs.open gzip.open bz2.open lzma.open gzip.GzipFile bz2.BZ2File "
        "lzma.LZMAFile zipfile.ZipFile tarfile.open tarfile.TarFile"
    )
)

#: Methods that write or delete files, on whatever object.
METHODS = dict.fromkeys(
    _words(
        "write_text write_bytes unlink rmdir rmtree touch symlink_to hardlink_to chmod lchmod "
        "removedirs extractall"
    ),
    _FILES,
)

#: Attributes through which code climbs out of where it is.
ATTRIBUTES = dict.fromkeys(
    _words(
        "__builtins__ __globals__ __code__ __closure__ __subclasses__ __bases__ __base__ __mro__ "
        "mro __getattribute__ __reduce__ __reduce_ex__ __import__ __loader__ __self__ __defaults__ "
        "__kwdefaults__ __wrapped__ f_globals f_locals f_builtins f_back f_code gi_frame gi_code "
        "cr_frame cr_code ag_frame tb_frame tb_next"
    ),
    _INTERPRETER,
)

#: Secrets by their shape (name → pattern over the text of a file).
SECRETS = {
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "an AWS access key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a GitHub token": r"\b(?:gh[pousr]_[0-9A-Za-z]{36,}|github_pat_[0-9A-Za-z_]{22,})",
    "a GitLab token": r"\bglpat-[0-9A-Za-z_-]{20,}",
    "a Slack token": r"\bxox[abeoprs]-[0-9A-Za-z-]{10,}",
    "a Google key": r"\bAIza[0-9A-Za-z_-]{35}",
    "an API key": r"\b[sr]k[-_](?:live|test|proj|ant)[-_][0-9A-Za-z_-]{16,}",
    "a JSON web token": r"\beyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{5,}",
    "a URL with a password": r"\b[a-z][a-z0-9+.-]*://[^\s/:@'\"]+:[^\s/:@'\"]{3,}@",
    "a password": r"(?i)(?:passw(?:or)?d|secret|api_?key|auth_?token|access_?token)"
    r"[\"']?\s*[:=]\s*b?[\"'][^\"'\s]{8,}[\"']",
}

#: Characters that make code read differently from how it runs (CVE-2021-42574).
HIDDEN_CHARACTERS = "[\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
