"""Where secrets stand in configuration files, scripts and their comments: a table of places with a reason each."""

from __future__ import annotations

import re

_BARE = r"[^\s\"';|&)`<>]+"
_VALUE = rf"(?:\"(?P<quoted>[^\"\r\n]*)\"|'(?P<single>[^'\r\n]*)'|(?P<bare>{_BARE}))"
_NEXT = rf"(?![0-9]?[<>]|-){_VALUE}"
"""A value that is an argument of its own: no option, and no redirection."""
_NO_WORD = r"(?=\S*[^A-Za-z\s.,;:!?()])"
"""Not a word of prose: what follows has a digit or a sign in it."""
_ENDS = r"[ \t]*(?:\r?$)"
_NAME = (
    r"\w{0,40}(?:PASS(?!ED|IVE|ES\b)|SECRET|PWD|TOKEN|AUTH(?!OR)|(?:API|ACCESS|SIGNING|ENCRYPTION)_?KEY|CREDENTIAL)"
    r"\w{0,40}"
)
_SHORT_NAME = r"(?:\w{1,40}_)?(?:PW|APIKEY|WEBHOOK)\d?(?:_\w{1,40})?"
_NAMED = rf"(?:{_NAME}|{_SHORT_NAME})"
"""A name of a setting or a variable that holds a secret."""
_COMMAND_TO = r"[^\r\n;|&]*?[ \t]"
"""From a program's name to an option of the same command."""


def _place(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.MULTILINE | re.IGNORECASE)


PLACES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("keepalived: authentication between the hosts", re.compile(rf"\bauth_pass[ \t]+{_VALUE}")),
    ("keepalived, Perl: a variable named after a secret", _place(rf"^[ \t]*\${_NAMED}[ \t]*=[ \t]*{_VALUE}")),
    ("redis.conf: passwords of clients, replicas and keys", _place(
        rf"^[ \t]*(?:requirepass|masterauth|tls-(?:client-)?key-file-pass)[ \t]+{_VALUE}")),
    ("the same lines, put into a comment", _place(
        rf"^[ \t]*#[# \t]*(?:requirepass|masterauth|tls-(?:client-)?key-file-pass)[ \t]+{_VALUE}{_ENDS}")),
    ("sentinel.conf: passwords of the master and of Sentinels, also in a comment", _place(
        rf"^[ \t#]*sentinel[ \t]+(?:auth-pass[ \t]+\S+|sentinel-pass)[ \t]+{_VALUE}{_ENDS}")),
    ("a line of redis.conf in a text that a script writes", _place(
        r"[\"'/](?:requirepass|masterauth)[ \t]+(?P<bare>[A-Za-z0-9][^\s\"';|&)`/$\\]*)")),
    ("a client's option", _place(rf"\b(?:redis|valkey)-cli\b{_COMMAND_TO}(?:-a|--pass)[ \t=]*{_VALUE}")),
    ("the client's variable", re.compile(rf"\bREDISCLI_AUTH={_VALUE}")),
    ("a variable named after a secret", _place(rf"(?<![\w$]){_NAMED}={_VALUE}")),
    ("the value that such a variable has by default", _place(rf"\$\{{{_NAMED}:?[-=](?P<bare>[^}}\s\"']+)\}}")),
    ("YAML, INI, Python: a setting named after a secret", _place(
        rf"^[ \t]*(?:-[ \t]+)?[\"']?{_NAMED}[\"']?[ \t]*(?:=|:)[ \t]*{_VALUE}")),
    ("the same, put into a comment", _place(
        rf"^[ \t]*(?:#|//|;)[# \t]*[\"']?{_NAMED}[\"']?[ \t]*(?:=|:)[ \t]*{_NO_WORD}{_VALUE}{_ENDS}")),
    ("JSON: a setting named after a secret", _place(
        rf"[\"']{_NAMED}[\"'][ \t]*:[ \t]*(?:\"(?P<quoted>[^\"\r\n]*)\"|'(?P<single>[^'\r\n]*)')")),
    ("a comment that tells a password", _place(
        r"^[ \t]*#[^\r\n]*?\b(?:pass(?:word|wd)?|pw|pwd|secret|token)\b[ \t]*"
        rf"(?:\b(?:was|is|now)\b[ \t]*:?|:|=|->)[ \t]*{_NO_WORD}{_VALUE}")),
    ("AUTH as a command of Redis, with or without a user", re.compile(
        r"(?:^(?![ \t]*#)[^\r\n]*?|[\"']|\b(?:redis|valkey)-cli\b[^\r\n;|&]*?)\bAUTH[ \t]+"
        rf"(?:{_BARE}[ \t]+(?=[^\s\"';|&)`<>-])(?![0-9]?[<>]))?{_NEXT}", re.MULTILINE)),
    ("AUTH in small letters, as an argument of a client", _place(
        rf"\b(?:redis|valkey)-cli\b{_COMMAND_TO}auth[ \t]+"
        rf"(?:{_BARE}[ \t]+(?=[^\s\"';|&)`<>-])(?![0-9]?[<>]))?{_NEXT}")),
    ("CONFIG SET and options of a server", _place(
        rf"(?:\bCONFIG[ \t]+SET[ \t]+|--)(?:requirepass|masterauth|tls-(?:client-)?key-file-pass)[ \t=]+{_NEXT}")),
    ("SENTINEL SET", _place(rf"\bSENTINEL[ \t]+SET[ \t]+\S+[ \t]+auth-pass[ \t]+{_NEXT}")),
    ("ACL SETUSER", _place(r"\bACL[ \t]+SETUSER[ \t][^\r\n]*?[ \t][\"']?>(?P<bare>[^\s\"']+)")),
    ("a long option named after a secret", _place(
        rf"[ \t]--(?:\w+-)*(?:password|passwd|passphrase|pass|token|secret|api-?key)(?:=|[ \t]+){_NEXT}")),
    ("curl: user and password", _place(
        r"\bcurl\b[^\r\n;|]*?[ \t](?:-u|--user|-U|--proxy-user)[ \t=]*[\"']?[^\s:\"']+:(?P<bare>[^\s\"';|&)`]+)")),
    ("HTTP: who asks", _place(
        r"\bAuthorization[\"']?[ \t]*:[ \t]*[\"']?(?:(?:Bearer|Basic|Digest|Token|ApiKey)[ \t]+)?"
        r"(?!(?:Bearer|Basic|Digest|Token|ApiKey)\b)(?P<bare>[^\s\"';|&)`]+)")),
    ("HTTP: a bearer's token, without its header", _place(
        r"\bBearer[ \t]+(?=[A-Za-z._~+/=-]*[0-9])(?P<bare>[A-Za-z0-9._~+/=-]{6,})")),
    ("HTTP: a header named after a secret", _place(
        r"(?<![\w-])\w[\w-]{0,40}-(?:Key|Token|Secret|Password|Auth)[\"']?[ \t]*:[ \t]*[\"']?"
        r"(?P<bare>[^\s\"';|&)`]+)")),
    ("sshpass", _place(rf"\bsshpass[ \t]+(?:-[^p\s]\S*[ \t]+)*-p[ \t]*{_VALUE}")),
    ("MySQL: its password follows at once", _place(rf"\b(?:mysql|mariadb)[\w-]*{_COMMAND_TO}(?-i:-p){_VALUE}")),
    ("mongo, ldap and ipmi: options for a password", _place(
        rf"\b(?-i:mongo\w*{_COMMAND_TO}-p|ldap\w+{_COMMAND_TO}-w|ipmitool{_COMMAND_TO}-P)[ \t]+{_NEXT}")),
    ("a password that a script writes into a program", _place(
        rf"\b(?:echo|printf)[ \t]+(?:-\w+[ \t]+)*(?:['\"]%s(?:\\n)?['\"][ \t]+)?{_VALUE}[ \t]*\|[ \t]*"
        r"(?:sudo[ \t]+(?:-\w+[ \t]+)*-\w*S|(?:sudo[ \t]+)?(?:passwd[ \t]+(?:\S+[ \t]+)?--stdin|su\b|kinit\b))")),
    ("the same for chpasswd", _place(
        r"\b(?:echo|printf)[ \t]+(?:-\w+[ \t]+)*[\"']?[\w.-]+:(?P<bare>[^\s\"';|&)`]+)[\"']?[ \t]*\|[ \t]*"
        r"(?:sudo[ \t]+)?chpasswd")),
    ("a password as a here-string", _place(rf"\bsudo[ \t]+(?:-\w+[ \t]+)*-\w*S\b[^\r\n]*?<<<[ \t]*{_VALUE}")),
    ("a URL with a password", _place(r"\b[a-z]+://[^\s:@/]*:(?P<bare>[^\s@/]+)@")),
    ("a URL that is a secret itself: who knows it may post", _place(
        r"\bhttps?://(?:[\w.-]*hook[\w.-]*(?::\d+)?/|[^\s\"'?/]+/(?:[^\s\"'?]*/)?(?:web)?hooks?/)"
        r"(?:(?:services|workflows|triggers|api|v\d)/)*(?P<bare>[^\s\"'?;|&)`]+)")),
    ("a URL with a secret among its arguments", _place(
        r"[?&](?:\w+_)?(?:token|key|api_?key|secret|sig|signature|pass(?:word)?|pwd)=(?P<bare>[^\s&\"';|)`]+)")),
    ("Consul: tokens and keys, in JSON and HCL", re.compile(
        r"(?:\"(?:acl_\w*token|token|encrypt|secret_id)\"[ \t]*:"
        r"|(?<![\w-])(?:acl_\w*token|token|encrypt|secret_id)[ \t]+=)"
        r"[ \t]*\"(?P<bare>[^\"\r\n]+)\"")),
    ("Consul: the key on a command line", re.compile(rf"\bconsul\b[^\r\n]*?[ \t]--?encrypt[ =]{_VALUE}")),
)  # fmt: skip
"""A reason each, and the expression that finds it. One group of it has the secret."""
