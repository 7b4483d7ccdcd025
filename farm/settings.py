"""What an operator can set: flags, then FARM_* variables, then a TOML file, then these defaults."""

import os
import tomllib
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PositiveFloat, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from farm import open_sets
from farm.errors import BadSetting
from farm.quota import Quota

#: Version of RISC Zero's zkVM that this farm proves with; part of queue names and session ids.
ZKVM = "3.0"
#: Sizes of segments that it proves, as powers of two; at 15 its executor wastes most of a segment.
PO2: tuple[int, ...] = (14, *range(16, 23))


def state_home() -> Path:
    """Return the user's state folder for the farm (XDG_STATE_HOME, else ~/.local/state)."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "proving-farm"


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()


def _segment_po2(value: object) -> object:
    if value != "auto" and str(value) not in map(str, PO2):
        raise ValueError(f'{value!r} is not "auto", 14, or 16 to 22')
    return value


def _networks(given: str) -> str:
    networks(given)
    return given


def _address(given: str) -> str:
    return str(ip_address(given))


def networks(given: str) -> list[IPv4Network | IPv6Network]:
    """Return networks that are named in a row; raises ValueError for what is none."""
    return [ip_network(one.strip()) for one in given.split(",") if one.strip()]


def _closing(given: dict[str, object]) -> dict[str, object]:
    open_sets.terms(given)
    return given


class Settings(BaseSettings):
    """One value each; configs/default.toml lists them all with a comment line."""

    model_config = SettingsConfigDict(env_prefix="FARM_", frozen=True, extra="forbid")

    state: Annotated[Path, AfterValidator(_absolute)] = state_home()
    ledger_url: str = ""
    broker_url: str = ""
    scratch_url: str = ""
    host: str = ""
    kernel: str = ""
    replay: str = ""
    simulated: str = ""
    simulated_speed: float = 1.0
    namespace: str = "default"

    machine: str = ""
    slots: int = 0
    slots_per_process: int = 10
    executors: int = 1
    verifiers: int = 1
    trace_slots: int = 0
    flower: bool = True
    flower_port: int = 5555

    api: bool = True
    api_address: Annotated[str, AfterValidator(_address)] = "127.0.0.1"
    api_port: int = 8081
    api_url: str = ""
    api_proxies: Annotated[str, AfterValidator(_networks)] = "127.0.0.1/32, ::1/128"
    api_certificate: str = ""
    api_certificate_key: str = ""
    api_key: str = ""
    receipt_limit: int = 64 << 20
    quotas: dict[str, Quota] = {}

    segment_po2: Annotated[int | Literal["auto"], BeforeValidator(_segment_po2)] = "auto"
    keccak_po2: Annotated[int, Field(ge=14, le=18)] = 14
    cycle_limit: int = 1 << 36
    input_limit: int = 64 << 20
    program_limit: int = 64 << 20
    trace_rounds_limit: int = 1 << 20
    trace_latency_seconds: float = 0.05
    trace_linger_seconds: float = 0.004
    trace_bytes_in_flight: int = 1 << 27
    trace_cache: Literal["auto", "off"] = "auto"
    trace_cache_bytes: int = 64 << 20
    bytes_in_flight: int = 4 << 30
    open_jobs: int = 100_000
    tenants: dict[str, PositiveFloat] = {}
    batch_size: Annotated[int, Field(ge=1)] = 64
    batch_wait_seconds: Annotated[float, Field(ge=0)] = 1.0
    aggregate: Annotated[dict[str, object], AfterValidator(_closing)] = open_sets.TERMS

    keep_jobs_days: float = 30.0
    keep_receipts_days: float = 30.0
    keep_nodes_hours: float = 24.0
    keep_bytes: int = 0
    sweep_minutes: float = 60.0

    attempts: int = 4
    beat_seconds: float = 1.0
    missed_beats: int = 8
    resend_seconds: float = 20.0
    stall_seconds: float = 20.0
    step_seconds: float = 7200.0
    stop_seconds: float = 120.0

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources, strongest first: arguments, environment, file."""
        file = os.environ.get("FARM_CONFIG") or None
        if file and not Path(file).is_file():
            raise BadSetting("FARM_CONFIG", f"there is no file {file}")
        try:
            toml = TomlConfigSettingsSource(settings_cls, file)
        except tomllib.TOMLDecodeError as error:
            raise BadSetting("FARM_CONFIG", f"{file} is no TOML: {error}") from error
        return init_settings, env_settings, toml


def load(**flags: Any) -> Settings:
    """Return the settings in force; a flag of None counts as not given.

    Raises BadSetting for a value that cannot be used or a name that is not known.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        first = error.errors()[0]
        raise BadSetting(".".join(map(str, first["loc"])), first["msg"]) from error
