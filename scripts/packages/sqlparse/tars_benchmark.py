"""What sqlparse's documentation shows people doing: split a script, and format what is in it."""

import json
import time

import sqlparse

SCRIPT = """
select id, name, count(*) as n, 'a string' -- a comment
from customers as c left join orders o on o.customer_id = c.id and o.total > 12.5
where c.country in ('CH', 'FR', 'DE') and (o.paid is not null or o.total between 1 and 99)
group by id, name having count(*) > 3 order by n desc, name limit 20;
insert into audit (who, what, stamp) values ('me', 'it''s done', now()), ('you', 'not yet', null);
update accounts set balance = balance - 10 /* fee */ where id = 42;
create table t (id integer primary key, label varchar(200) default 'none', total numeric(10, 2));
"""


def work() -> None:
    """Split and format the script in three of the documented styles."""
    for statement in sqlparse.split(SCRIPT):
        sqlparse.format(statement, reindent=True, keyword_case="upper")
        sqlparse.format(statement, strip_comments=True, identifier_case="lower")
        sqlparse.format(statement, reindent_aligned=True)


def main() -> None:
    """Print the shortest processor time of a few repetitions."""
    work()
    times = []
    for _ in range(5):
        began = time.process_time()
        for _ in range(2):
            work()
        times.append(time.process_time() - began)
    print(json.dumps({"seconds": min(times)}))


main()
