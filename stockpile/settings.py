"""Settings: where the data lie, which database, where the service listens. From the environment (STOCKPILE_...) alone;
no file is read, and nothing here starts or changes anything.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from stockpile.errors import Fault, Invalid

PREFIX = "STOCKPILE_"


class Settings(BaseSettings):
    """Each field is the variable STOCKPILE_<NAME>."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True)

    data: Annotated[Path, AfterValidator(Path.absolute)] = Field(
        Path("var"), validate_default=True, description="Folder of files and of the embedded database"
    )
    database_url: str = Field("", description="A PostgreSQL server of your own; empty: the embedded one")
    host: str = Field("127.0.0.1", description="Address to listen on")
    port: int = Field(8000, ge=1, le=65535, description="Port to listen on")
    http_port: int = Field(8080, ge=1, le=65535, description="With HTTPS: where plain HTTP leads there, and /trust is")
    workers: int = Field(2, ge=1, le=64, description="Processes that serve")
    upload_limit: int = Field(512 * 1024 * 1024, ge=1, description="Largest file taken in, in bytes")
    evidence_limit: int = Field(20 * 1024 * 1024, ge=1, description="Largest photo or scan, in bytes")
    session_hours: int = Field(12, ge=1, le=24, description="After so many hours everybody signs in anew")
    session_idle_minutes: int = Field(30, ge=1, le=1440, description="A session unused for so long is over")
    counter_idle_minutes: int = Field(240, ge=1, le=1440, description="The same at an enrolled counter")
    log_folder: str = Field(
        "", description="Folder of the log's keys and of what was signed last; empty: 'log' in the data folder"
    )
    log_open: bool = Field(False, description="Whether the log is read without a token")
    log_cadence: int = Field(
        0, ge=0, le=86400, description="Seconds between two checkpoints; 0: as soon as something was posted"
    )
    log_padding: int = Field(
        0,
        ge=0,
        le=4096,
        description="With a cadence: the log grows to a multiple of so many leaves; 0: by what was posted",
    )
    address: str = Field(
        "", pattern=r"^(https?://[^\s/]+)?/?$", description="Under which people reach the service, for links in e-mails"
    )
    mail_host: str = Field("", description="Mail server that alerts go out by; empty: none")
    mail_port: int = Field(587, ge=1, le=65535, description="Its port")
    mail_security: Literal["starttls", "tls", "none"] = Field("starttls", description="How it is spoken to in secret")
    mail_user: str = Field("", description="As whom; empty: without signing in")
    mail_password: SecretStr = Field(SecretStr(""), description="With which password")
    mail_from: str = Field(
        "stockpile@localhost", pattern=r"^[!-~]+@[A-Za-z0-9.-]+$", description="From which address e-mails come"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("warning", description="How much is logged")

    @property
    def signing_folder(self) -> Path:
        """Where the log's keys are, and what was signed last."""
        return Path(self.log_folder).absolute() if self.log_folder else self.data / "log"


def read_settings() -> Settings:
    """The settings as the environment has them. Raises Invalid naming each variable that is wrong."""
    try:
        return Settings()
    except ValidationError as problem:
        faults = [
            Fault(error["msg"], field=PREFIX + str(error["loc"][0]).upper(), value=str(error["input"]))
            for error in problem.errors()
        ]
        raise Invalid("The settings in the environment have mistakes.", faults) from None
