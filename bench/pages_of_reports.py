"""The reports, their addresses and the bare SQL of their first pages: the same sums and rows, as somebody would ask them who owns the tables.
Reports that are worked out from many rules in turn (unusual, records of a list) have the rows that those read as their floor.
"""

from __future__ import annotations

from bench.beside import FirstPage
from stockpile.movements import BALANCED

_BY_CLASS = ", ".join(f"sum(quantity) FILTER (WHERE class = '{one}') AS in_{one}" for one in BALANCED)

_OUTSIDE = "'00000000-0000-7000-8000-000000000000'"
_BORDER = f"""SELECT model_id, sum(quantity) AS came_in FROM (
    SELECT model_id, quantity FROM entry WHERE from_account = {_OUTSIDE}
    UNION ALL SELECT model_id, -quantity FROM entry WHERE to_account = {_OUTSIDE}) e GROUP BY 1"""
_BALANCE = f"""
SELECT c.came_in, h.* FROM (SELECT class_and_site, model_id, sum(quantity) AS quantity FROM holding GROUP BY 1, 2) h JOIN ({_BORDER}) c USING (model_id)
"""
_ENDS = "entry e JOIN account f ON f.account_id = e.from_account JOIN account t ON t.account_id = e.to_account"
_BALANCE_BY_SITE = f"""
SELECT c.came_in, h.* FROM (SELECT site_id, class_and_site, sum(quantity) AS quantity FROM holding GROUP BY 1, 2) h
JOIN (SELECT leg.site_id, sum(leg.quantity) AS came_in
      FROM (SELECT f.site_id AS origin, t.site_id AS place, sum(e.quantity) AS quantity FROM {_ENDS}
            WHERE f.site_id IS DISTINCT FROM t.site_id GROUP BY 1, 2) moved
      CROSS JOIN LATERAL (VALUES (place, quantity), (origin, -quantity)) leg (site_id, quantity) GROUP BY 1) c (site_id, came_in) USING (site_id)
"""
_BALANCE_THEN = f"""
SELECT m.maker, m.name, l.* FROM (
    SELECT model_id, {_BY_CLASS} FROM (
        SELECT e.model_id, t.class, sum(e.quantity) AS quantity FROM entry e JOIN account t ON t.account_id = e.to_account
        WHERE e.happened_at <= '2023-03-01Z' GROUP BY 1, 2
        UNION ALL
        SELECT e.model_id, f.class, -sum(e.quantity) FROM entry e JOIN account f ON f.account_id = e.from_account
        WHERE e.happened_at <= '2023-03-01Z' GROUP BY 1, 2) leg GROUP BY 1) l
JOIN model m USING (model_id) ORDER BY m.maker, m.name LIMIT 100
"""
_FLOWS = f"""
SELECT f.class, t.class, sum(CASE WHEN e.reverses IS NULL THEN e.quantity ELSE -e.quantity END) FROM {_ENDS} WHERE f.class <> t.class GROUP BY 1, 2
"""
_OVER_TIME = f"""
WITH moved AS (SELECT date_trunc('month', e.happened_at) AS month, f.class AS origin, t.class AS place, sum(e.quantity) AS quantity
               FROM {_ENDS} WHERE f.class <> t.class GROUP BY 1, 2, 3),
     leg AS (SELECT month, place AS class, quantity FROM moved UNION ALL SELECT month, origin, -quantity FROM moved)
SELECT month, class, sum(sum(quantity)) OVER (PARTITION BY class ORDER BY month) FROM leg GROUP BY 1, 2
"""
_CAPTURE = """
SELECT m.maker, m.name, sum(h.quantity), count(*) FILTER (WHERE n.serial_number IS NOT NULL AND NOT n.obliterated)
FROM holding h JOIN model m USING (model_id)
LEFT JOIN identification n ON n.item_id = h.item_id
     AND n.version = (SELECT max(version) FROM identification x WHERE x.item_id = h.item_id)
GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 100
"""
_HELD_BY_UNIT = """
    SELECT CASE a.class WHEN 'unit' THEN a.party_id WHEN 'person' THEN g.unit_id ELSE a.unit_id END AS unit_id, h.model_id, sum(h.quantity) AS held
    FROM holding h JOIN account a USING (account_id)
    LEFT JOIN assignment g ON a.class = 'person' AND g.party_id = a.party_id AND g.since <= now() AND coalesce(g.until, 'infinity') >= now()
    WHERE a.class IN ('unit', 'person') OR a.unit_id IS NOT NULL GROUP BY 1, 2
"""
_ALLOWANCES = f"""
WITH line AS ({_HELD_BY_UNIT}), total AS (SELECT sum(held) FROM line)
SELECT * FROM total, LATERAL (
    SELECT u.code, m.maker, m.name, l.held FROM line l JOIN model m USING (model_id) LEFT JOIN party u ON u.party_id = l.unit_id
    ORDER BY u.code, m.maker, m.name LIMIT 101) page
"""
_HOLDERS = f"""
WITH line AS ({_HELD_BY_UNIT}), strength AS (SELECT unit_id, count(*) AS people FROM assignment WHERE until IS NULL GROUP BY 1)
SELECT u.code, sum(l.held), s.people FROM line l LEFT JOIN strength s USING (unit_id) LEFT JOIN party u ON u.party_id = l.unit_id
GROUP BY 1, 3 HAVING sum(l.held) > coalesce(s.people, 0) * 2 ORDER BY 2 DESC LIMIT 101
"""
_INSPECTIONS = """
WITH due AS (
    SELECT h.item_id, h.model_id, m.value, min(e.happened_at)::date + 90 AS due_on
    FROM model m JOIN holding h USING (model_id) JOIN account a USING (account_id)
    JOIN entry e ON e.item_id = h.item_id JOIN account t ON t.account_id = e.to_account AND t.class IN ('store', 'unit', 'person', 'maintenance')
    WHERE m.enhanced_monitoring AND a.class IN ('store', 'unit', 'person', 'maintenance', 'transit')
    GROUP BY h.item_id, h.model_id, m.value
), total AS (SELECT count(*), count(*) FILTER (WHERE due_on < now()), sum(value), sum(value) FILTER (WHERE due_on < now()) FROM due)
SELECT * FROM total, LATERAL (
    SELECT d.*, n.serial_number FROM due d JOIN identification n ON n.item_id = d.item_id AND n.version = 1 ORDER BY due_on, d.item_id LIMIT 101) page
"""
_DUE = """
    SELECT a.account_id, a.site_id, a.name, count(*) AS weapons, sum(m.value) AS value,
           min(p.days) AS every_days, max(c.opened_at) AS counted_at
    FROM holding h JOIN model m USING (model_id) JOIN account a USING (account_id)
    JOIN count_period p ON p.binds AND p.method = 'serial' AND (p.held_by IS NULL OR p.held_by = CASE WHEN a.class IN ('unit', 'person') THEN 'unit' ELSE 'depot' END)
         AND (p.security_risk_category IS NULL OR p.security_risk_category = m.security_risk_category)
    LEFT JOIN count_account t ON t.account_id = a.account_id LEFT JOIN physical_count c USING (count_id)
    WHERE h.serial AND a.class IN ('store', 'unit', 'person', 'maintenance') GROUP BY a.account_id, a.site_id, a.name
"""
_LOST = """
    SELECT e.item_id, e.document_id, e.quantity, d.happened_at, d.recorded_at, o.document_id AS ended_by, m.name AS model, t.site_id
    FROM document d JOIN entry e USING (document_id) JOIN account t ON t.account_id = e.to_account JOIN item i ON i.item_id = e.item_id
    JOIN model m ON m.model_id = i.model_id
    LEFT JOIN entry o ON o.item_id = e.item_id AND o.from_account = e.to_account AND o.version > e.version AND o.reverses IS NULL
    WHERE d.act IN ('report missing', 'overrun') AND t.class = 'missing'
      AND NOT EXISTS (SELECT FROM entry r WHERE r.item_id = e.item_id AND r.reverses = e.version)
"""
_CONSIGNMENTS = """
WITH leg AS (
    SELECT c.consignment_id, i.item_id, bool_or(f.class = 'outside') AS declared, bool_or(t.class IN ('store', 'unit', 'person')) AS received,
           bool_or(f.account_id = c.account_id AND t.class = 'transit') AS shipped
    FROM consignment c JOIN item i USING (consignment_id) JOIN entry e ON e.item_id = i.item_id
    JOIN account f ON f.account_id = e.from_account JOIN account t ON t.account_id = e.to_account
    WHERE f.class IN ('outside', 'supply', 'transit') OR t.class IN ('outside', 'supply', 'transit')
    GROUP BY 1, 2)
SELECT c.reference, c.declared_at, count(*) FILTER (WHERE declared), count(*) FILTER (WHERE received), count(*) FILTER (WHERE shipped)
FROM leg JOIN consignment c USING (consignment_id) GROUP BY 1, 2 ORDER BY 2 LIMIT 101
"""
_TRANSIT = """
SELECT s.number, s.expected_on, count(*), sum(h.quantity)
FROM account a JOIN holding h USING (account_id) JOIN entry e ON e.item_id = h.item_id AND e.to_account = h.account_id AND e.reverses IS NULL
JOIN shipment s ON s.document_id = e.document_id
WHERE a.class = 'transit' GROUP BY 1, 2 ORDER BY 2, 1 LIMIT 101
"""
_RECORDS = """
WITH said AS (SELECT *, count(*) OVER (PARTITION BY serial_key, model) AS times FROM register_line
              WHERE register_id = '00000000-0000-7000-8000-0000000000a1'),
     total AS (SELECT count(*), count(*) FILTER (WHERE times > 1), count(*) FILTER (WHERE shipped_on IS NULL) FROM said)
SELECT * FROM total, LATERAL (SELECT line, serial_number, model, times FROM said WHERE times > 1 OR shipped_on IS NULL OR received_on IS NULL
                              ORDER BY line LIMIT 101) page
"""
_UNUSUAL = """
SELECT d.site_id, d.act, count(*), count(*) FILTER (WHERE extract(hour FROM d.happened_at AT TIME ZONE s.time_zone) NOT BETWEEN 5 AND 21),
       count(g.party_id)
FROM document d JOIN site s USING (site_id) LEFT JOIN signatory g ON g.document_id = d.document_id AND g.part = 'received_by' GROUP BY 1, 2
"""
_PROOF = """
SELECT (SELECT sum(quantity) FROM entry), (SELECT sum(quantity) FROM document), (SELECT sum(quantity) FROM holding), l.*
FROM (SELECT account_id, sum(quantity) FROM (SELECT to_account AS account_id, sum(quantity) AS quantity FROM entry GROUP BY 1
                                             UNION ALL SELECT from_account, -sum(quantity) FROM entry GROUP BY 1) leg
      GROUP BY 1 HAVING sum(quantity) < 0) l
"""

PAGES = (
    FirstPage("/reports/balance", _BALANCE, target=0.1),
    FirstPage("/reports/balance?by=site", _BALANCE_BY_SITE),
    FirstPage("/reports/balance?as_of=2023-03-01T03:00", _BALANCE_THEN),
    FirstPage("/reports/balance/proof", _PROOF),
    FirstPage("/reports/serial-capture", _CAPTURE),
    FirstPage("/reports/records?register=00000000-0000-7000-8000-0000000000a1", _RECORDS),
    FirstPage("/reports/transit", _TRANSIT),
    FirstPage("/reports/inspections", _INSPECTIONS),
    FirstPage("/counts/due", f"WITH due AS ({_DUE}) SELECT * FROM due ORDER BY counted_at NULLS FIRST, account_id LIMIT 101"),
    FirstPage("/reports/count-compliance", f"WITH due AS ({_DUE}) SELECT site_id, count(*), sum(weapons), sum(value) FROM due GROUP BY 1"),
    FirstPage("/reports/holders", _HOLDERS),
    FirstPage("/reports/losses-by", f"WITH lost AS ({_LOST}) SELECT model, count(DISTINCT document_id), sum(quantity) FROM lost GROUP BY 1 ORDER BY 1"),
    FirstPage("/reports/lost", f"WITH lost AS ({_LOST}) SELECT (SELECT count(*) FROM lost), * FROM lost ORDER BY happened_at, item_id LIMIT 101"),
    FirstPage("/reports/losses", f"WITH lost AS ({_LOST}) SELECT document_id, recorded_at - happened_at, sum(quantity) FROM lost GROUP BY 1, 2 ORDER BY 2 LIMIT 101"),
    FirstPage("/reports/consignments", _CONSIGNMENTS),
    FirstPage("/reports/unusual", _UNUSUAL),
    FirstPage("/reports/allowances", _ALLOWANCES),
    FirstPage("/reports/flows", _FLOWS),
    FirstPage("/reports/holdings-over-time", _OVER_TIME),
)  # fmt: skip
