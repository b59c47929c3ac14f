"""A country of a million weapons and five million entries, made once with bare SQL in a server of its own. It writes past the
ledger (triggers off), so it must never touch a database that anybody uses. `bench.reports` measures in it.

Every weapon is declared by a donor, received, issued, returned and issued again; one in a hundred goes missing and is lost,
one is destroyed, one is in maintenance, ten are with units, three were shipped to the next site, where two of them arrived, and one in a
hundred issues is corrected; one in twenty issues is against a weapon card. Every weapon is of a consignment. Beside it stands a list of as
many weapons as Afghanistan's, which nobody put in order.
"""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path

import psycopg

from stockpile import founding, parties
from stockpile.db import embedded, migrate, roles
from stockpile.db.embedded import Server
from stockpile.db.engine import engine_of, transaction
from stockpile.identity import LOOK_ALIKES

DATABASE = "large"
SITES = 20
SETTINGS = {"shared_buffers": "1GB", "effective_cache_size": "6GB", "work_mem": "16MB", "max_wal_size": "8GB"}
SINCE = date(2020, 1, 1)
LATIN = "".join(chr(code) for code in LOOK_ALIKES if code < 128)
MEANT = "".join(LOOK_ALIKES[ord(character)] for character in LATIN)

# A UUIDv7 of a moment and a text.
KEY = """
CREATE FUNCTION pg_temp.key(moment timestamptz, name text) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || '7' || substr(md5(name), 1, 3)
            || '8' || substr(md5(name), 4, 15))::uuid
$$
"""

# 10,000 persons a site, 400 in each of its 25 units.
PEOPLE = """
CREATE TEMPORARY TABLE place AS
SELECT row_number() OVER (ORDER BY code) - 1 AS site_no, site_id, code, custodian_id FROM site;
CREATE TEMPORARY TABLE soldier AS
SELECT site_no, n AS person_no, pg_temp.key('2020-01-01', 'person' || site_no || '.' || n) AS party_id,
       pg_temp.key('2020-01-02', 'account' || site_no || '.' || n) AS account_id, code || '-' || n AS code
FROM place, generate_series(0, 9999) n;
INSERT INTO party (party_id, kind, code, name, rank, site_id, secret)
SELECT s.party_id, 'person', s.code, 'Soldier ' || s.code, 'Private', p.site_id, sha256(s.code::bytea) FROM soldier s JOIN place p USING (site_no);
INSERT INTO party_name (party_id, version, code, name, rank, recorded_at)
SELECT party_id, 1, code, 'Soldier ' || code, 'Private', '2020-01-01' FROM soldier;
INSERT INTO account (account_id, class, name, site_id, party_id)
SELECT s.account_id, 'person', 'Private Soldier ' || s.code || ' (' || s.code || ')', p.site_id, s.party_id FROM soldier s JOIN place p USING (site_no);
CREATE TEMPORARY TABLE company AS
SELECT p.site_no, row_number() OVER (PARTITION BY p.site_no ORDER BY a.name) - 1 AS unit_no, a.party_id, a.account_id
FROM account a JOIN place p USING (site_id) WHERE a.class = 'unit';
INSERT INTO assignment (assignment_id, party_id, unit_id, since)
SELECT pg_temp.key('2020-01-03', s.code), s.party_id, c.party_id, '2020-01-01'
FROM soldier s JOIN company c ON c.site_no = s.site_no AND c.unit_no = s.person_no % 25
"""

# A consignment is 2,000 weapons of one model by one donor for one site, nineteen hours after the one before.
WEAPONS = """
CREATE TEMPORARY TABLE weapon AS
WITH donor AS (SELECT row_number() OVER (ORDER BY code) - 1 AS donor_no, party_id AS donor_id FROM party WHERE kind = 'donor'),
     arm AS (SELECT row_number() OVER (ORDER BY maker, name) - 1 AS model_no, model_id, maker FROM model WHERE tracked_by = 'serial')
SELECT n, (n - 1) / 2000 AS consignment_no, p.site_no, p.site_id, d.donor_id, a.model_id, a.maker,
       pg_temp.key('2022-01-01'::timestamptz + n * interval '1 second', 'item' || n) AS item_id,
       CASE n %% 3 WHEN 0 THEN 'KT ' || (100000 + n * 7 %% 1000003)
            WHEN 1 THEN chr((65 + n %% 26)::int) || chr((65 + n / 26 %% 26)::int) || (n * 7919 %% 10000019)
            ELSE (1000000 + n * 104729 %% 8999993)::text END AS serial_number
FROM generate_series(1, %(weapons)s::bigint) n
JOIN place p ON p.site_no = (n - 1) / 2000 %% %(sites)s
JOIN donor d ON d.donor_no = (n - 1) / 2000 %% (SELECT count(*) FROM donor)
JOIN arm a ON a.model_no = (n - 1) / 2000 %% (SELECT count(*) FROM arm);
INSERT INTO item (item_id, tracked_by, model_id, donor_id, consignment_id, secret)
SELECT item_id, 'serial', model_id, donor_id, pg_temp.key('2022-01-01', 'consignment' || consignment_no), sha256(uuid_send(item_id))
FROM weapon ORDER BY n;
INSERT INTO identification (item_id, version, donor_id, site_id, entry_version, maker, serial_number, serial_key, fold)
SELECT item_id, 1, donor_id, site_id, 1, maker, serial_number, replace(serial_number, ' ', ''),
       translate(replace(serial_number, ' ', ''), %(latin)s, %(meant)s)
FROM weapon ORDER BY n;
INSERT INTO account (account_id, class, name, site_id)
SELECT pg_temp.key('2022-01-01', 'supply' || consignment_no), 'supply', 'consignment ' || consignment_no, site_id
FROM weapon GROUP BY consignment_no, site_id;
INSERT INTO consignment (consignment_id, donor_id, site_id, reference, account_id, expected_on, declared_at)
SELECT pg_temp.key('2022-01-01', 'consignment' || consignment_no), donor_id, site_id, 'C-' || lpad(consignment_no::text, 5, '0'),
       pg_temp.key('2022-01-01', 'supply' || consignment_no), ('2022-04-20'::timestamp + consignment_no * interval '19 hours')::date,
       '2022-03-02'::timestamptz + consignment_no * interval '19 hours'
FROM weapon GROUP BY consignment_no, donor_id, site_id
"""

# What happens to weapon n: its version, act, where to, on which day after the consignment, how many share a document.
STEPS = """
CREATE TEMPORARY TABLE step AS
WITH own AS (SELECT p.site_no, a.class, min(a.account_id::text)::uuid AS account_id
             FROM account a JOIN place p USING (site_id) WHERE a.class IN ('store', 'missing', 'lost', 'destroyed', 'maintenance', 'transit')
             GROUP BY p.site_no, a.class),
went AS (
    SELECT w.*, v AS version,
           CASE v WHEN 1 THEN 'declare' WHEN 2 THEN 'receive' WHEN 3 THEN 'issue' WHEN 4 THEN 'return'
                  WHEN 5 THEN CASE n %% 100 WHEN 0 THEN 'report missing' WHEN 1 THEN 'destroy' WHEN 2 THEN 'maintain'
                                             WHEN 20 THEN 'ship' WHEN 21 THEN 'ship' WHEN 22 THEN 'ship' ELSE 'issue' END
                  ELSE CASE n %% 100 WHEN 0 THEN 'conclude loss' WHEN 13 THEN 'correct' ELSE 'receive' END END AS act,
           CASE v WHEN 1 THEN pg_temp.key('2022-01-01', 'supply' || consignment_no)
                  WHEN 3 THEN first.account_id
                  WHEN 5 THEN CASE WHEN n %% 100 BETWEEN 3 AND 12 THEN c.account_id WHEN n %% 100 > 12 AND n %% 100 NOT IN (20, 21, 22) THEN second.account_id END END AS named,
           CASE v WHEN 2 THEN 'store' WHEN 4 THEN 'store'
                  WHEN 5 THEN CASE n %% 100 WHEN 0 THEN 'missing' WHEN 1 THEN 'destroyed' WHEN 2 THEN 'maintenance' ELSE 'transit' END
                  WHEN 6 THEN CASE n %% 100 WHEN 0 THEN 'lost' ELSE 'store' END END AS class,
           CASE WHEN v > 4 AND n %% 100 IN (20, 21, 22) THEN (w.site_no + 1) %% %(sites)s ELSE w.site_no END AS place_no
    FROM weapon w
    JOIN generate_series(1, 6) v ON v < 6 OR n %% 100 IN (0, 13, 20, 21)
    JOIN soldier first ON first.site_no = w.site_no AND first.person_no = n %% 10000
    JOIN soldier second ON second.site_no = w.site_no AND second.person_no = n * 31 %% 10000
    JOIN company c ON c.site_no = w.site_no AND c.unit_no = n %% 25)
SELECT n, item_id, version, act, place.site_no, place.site_id, donor_id, model_id,
       (n - 1) / CASE WHEN act = 'ship' OR act = 'receive' AND version = 6 THEN 200 WHEN version = 2 THEN 500
                      WHEN act IN ('issue', 'return') THEN 20 ELSE 2000 END AS together,
       coalesce(named, own.account_id) AS to_account,
       '2022-01-01'::timestamptz + consignment_no * interval '19 hours' + CASE WHEN act = 'correct' THEN 5 ELSE version END * interval '60 days'
           + CASE WHEN act IN ('issue', 'return', 'correct') THEN (n - 1) / 20 %% 100 * interval '5 minutes' ELSE interval '0' END AS happened_at
FROM went LEFT JOIN own ON own.site_no = went.place_no AND own.class = went.class
JOIN place ON place.site_no = CASE WHEN act = 'ship' THEN went.site_no ELSE went.place_no END;
ALTER TABLE step ADD document_id uuid;
CREATE TEMPORARY TABLE written AS
SELECT version, act, together, site_id, site_no, count(*) AS lines, max(happened_at) AS happened_at,
       max(happened_at) + interval '5 minutes' + CASE WHEN act = 'correct' THEN interval '3 days' ELSE interval '0' END AS recorded_at,
       pg_temp.key(max(happened_at), version || act || together) AS document_id
FROM step GROUP BY version, act, together, site_id, site_no
"""

LEDGER = """
INSERT INTO book (book_id, site_id, code, year, kind, holder)
SELECT gen_random_uuid(), site_id, 'B', year, 'counter', 'counter' FROM site, generate_series(2022, 2026) year ON CONFLICT DO NOTHING;
INSERT INTO document (document_id, site_id, book_id, number, act, fact, happened_at, recorded_at, posted_by, approved_by, line_count, quantity,
                      details, content_hash, seed, leaf)
SELECT w.document_id, w.site_id, b.book_id, row_number() OVER (PARTITION BY b.book_id ORDER BY w.recorded_at, w.document_id), w.act, false,
       CASE WHEN w.act = 'correct' THEN w.recorded_at ELSE w.happened_at END, w.recorded_at, clerk.party_id, commander.party_id, w.lines, w.lines,
       CASE WHEN w.act <> 'issue' THEN '{}' WHEN w.together % 20 = 0 THEN '{"paper": "weapon card"}' ELSE '{"paper": "hand receipt"}' END::jsonb,
       sha256(uuid_send(w.document_id)), sha256(uuid_send(w.document_id)), '\\x02'::bytea || sha256('a') || sha256(uuid_send(w.document_id))
FROM written w
JOIN book b ON b.site_id = w.site_id AND b.code = 'B' AND b.year = extract(year FROM w.recorded_at)
JOIN soldier clerk ON clerk.site_no = w.site_no AND clerk.person_no = 0
JOIN soldier commander ON commander.site_no = w.site_no AND commander.person_no = 1
ORDER BY w.recorded_at;
UPDATE book b SET next_number = d.last + 1 FROM (SELECT book_id, max(number) AS last FROM document GROUP BY book_id) d WHERE d.book_id = b.book_id;
INSERT INTO signatory (document_id, site_id, part, party_id, name_version, digest)
SELECT document_id, site_id, 'posted_by', posted_by, 1, sha256(uuid_send(document_id)) FROM document;
INSERT INTO entry (item_id, version, serial, donor_id, model_id, site_id, document_id, line, from_account, to_account, quantity, condition, happened_at,
                   recorded_at, reverses, seed, leaf, from_class_and_site, to_class_and_site)
SELECT e.*, f.class_and_site, t.class_and_site FROM (
SELECT s.item_id, s.version, true, s.donor_id, s.model_id, s.site_id, w.document_id,
       row_number() OVER (PARTITION BY w.document_id ORDER BY s.n),
       lag(s.to_account, 1, '00000000-0000-7000-8000-000000000000') OVER (PARTITION BY s.item_id ORDER BY s.version) AS from_account, s.to_account, 1,
       CASE WHEN s.act IN ('receive', 'return') THEN 'serviceable' END, s.happened_at, w.recorded_at,
       CASE WHEN s.act = 'correct' THEN 5 END, uuid_send(s.item_id) || uuid_send(w.document_id),
       '\\x01'::bytea || sha256(uuid_send(s.item_id)) || sha256(uuid_send(w.document_id))
FROM step s JOIN written w USING (version, act, together)
ORDER BY w.recorded_at, w.document_id, s.n) e JOIN account f ON f.account_id = e.from_account JOIN account t ON t.account_id = e.to_account;
INSERT INTO holding (item_id, account_id, serial, donor_id, model_id, consignment_id, site_id, class_and_site, quantity)
SELECT item_id, to_account, true, last.donor_id, last.model_id, i.consignment_id, site_id, a.class_and_site, 1
FROM (SELECT DISTINCT ON (item_id) item_id, to_account, donor_id, model_id, site_id FROM step ORDER BY item_id, version DESC) last
JOIN (SELECT account_id, class_and_site FROM account) a ON a.account_id = last.to_account JOIN item i USING (item_id)
"""


# Every shipping order is of the next site's, expected after twenty days.
SHIPMENTS = """
INSERT INTO shipment (document_id, number, from_site, to_site, transit_account, carrier, vehicle, expected_on, shipped_at)
SELECT d.document_id, concat_ws('/', s.code, b.code, b.year, d.number), d.site_id, t.site_id, t.account_id, 'Trucks of ' || s.code, 'T ' || d.number,
       (d.happened_at + interval '20 days')::date, d.happened_at
FROM document d JOIN book b USING (book_id) JOIN site s ON s.site_id = d.site_id
JOIN LATERAL (SELECT a.account_id, a.site_id FROM entry e JOIN account a ON a.account_id = e.to_account
              WHERE e.document_id = d.document_id LIMIT 1) t ON true
WHERE d.act = 'ship'
"""

# As many lines as SIGAR 14-84 counted; most are whole, one in nineteen repeats the number before it, one in ten has no dates.
REGISTER_LINES = 474_823
REGISTER = """
INSERT INTO register (register_id, kind, name, as_of, recorded_at, imported_by, file_name, line_count, lines_digest, seed, leaf, source, mapping)
SELECT '00000000-0000-7000-8000-0000000000a1', 'property book', 'Half a million lines', '2014-01-01', now(), custodian_id, 'lines.csv', %(lines)s,
       sha256('a'), sha256('a'), '\\x03'::bytea || sha256('a') || sha256('b'), 'OVERLORD',
       '{"columns": {"serial_number": "Serial Number", "model": "Nomenclature", "shipped_on": "Date Shipped", "received_on": "Date Received",
                    "unit": "Unit"}, "constants": {}, "date_order": null}'
FROM site LIMIT 1;
INSERT INTO register_line (register_id, line, cells, serial_number, serial_key, model, quantity, shipped_on, received_on, unit)
SELECT '00000000-0000-7000-8000-0000000000a1', n + 2, '[]', number, number, (ARRAY['AKM', 'M16A2', 'M4A1', 'PKM', 'RPK'])[1 + weapon %% 5], 1,
       CASE WHEN n %% 10 > 0 THEN '2011-01-01'::date + (n %% 336) END, CASE WHEN n %% 10 > 0 THEN '2012-01-01'::date + (n %% 336) END,
       upper(n %% 180 || ' Kandak')
FROM (SELECT n, weapon, 'US' || lpad((weapon::bigint * 7919 %% 9999991)::text, 7, '0') AS number
      FROM (SELECT n, CASE WHEN n %% 19 = 0 AND n > 0 THEN n - 1 ELSE n END AS weapon FROM generate_series(0, %(lines)s - 1) n) w) line
"""


STAGES = (
    ("people", PEOPLE),
    ("weapons", WEAPONS),
    ("steps", STEPS),
    ("ledger", LEDGER),
    ("shipments", SHIPMENTS),
    ("register", REGISTER),
)


def found_large(server: Server) -> None:
    """The sites, donors, units and models, by domain calls as anywhere."""
    engine = engine_of(server.url(DATABASE, roles.SERVICE))
    with transaction(engine, roles.REGISTRAR) as connection:
        founded = founding.found(
            connection, ("MOD", "Ministry of Defence"), ("R-1", "Rana Registrar"), ("SITE-00", "Depot 0", "Asia/Baghdad"), ["Main store"]
        )  # fmt: skip
        sites = [founded.site]
        for n in range(1, SITES):
            code = f"SITE-{n:02}"
            sites.append(
                founding.found_site(connection, code, f"Depot {n}", "Asia/Baghdad", ["Main store"], founded.registrar)
            )
        for code in ("USA", "FRA", "DEU", "GBR"):
            parties.add_party(connection, "donor", code, f"Government of {code}")
        for site in sites:
            for n in range(25):
                parties.add_unit(connection, f"{site.code}-U{n}", f"Company {n} of {site.code}", site, None, SINCE)
    engine.dispose()


def fill(server: Server, weapons: int) -> None:
    """Writes weapons, documents, entries and holdings past the ledger."""
    given = {
        "weapons": weapons,
        "sites": SITES,
        "latin": LATIN,
        "meant": MEANT,
        "lines": REGISTER_LINES * weapons // 1_000_000,
    }
    with psycopg.connect(server.conninfo(DATABASE)) as connection:
        connection.execute(
            "SET search_path = stockpile; SET session_replication_role = replica; SET work_mem = '512MB'"
        )
        connection.execute("SET maintenance_work_mem = '1GB'")
        connection.execute(KEY)
        for name, step in STAGES:
            started = time.monotonic()
            for statement in step.split(";\n"):
                connection.execute(statement, given if "%(" in statement else None)  # type: ignore[arg-type]
                connection.execute("ANALYZE")
            print(f"{time.monotonic() - started:6.1f} s  {name}", flush=True)
    with psycopg.connect(server.conninfo(DATABASE), autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE)")


def make(folder: Path, weapons: int) -> Server:
    """A running server in `folder` with the large country in it; made first if it is not there."""
    server = embedded.start(folder, settings=SETTINGS)
    with psycopg.connect(server.conninfo(), autocommit=True) as administrator:
        if administrator.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone():
            return server
        administrator.execute(roles.setup_sql())
        administrator.execute(roles.database_sql(DATABASE))
    migrate.upgrade(server.url(DATABASE, roles.OWNER))
    found_large(server)
    fill(server, weapons)
    return server
