"""Files of annotation tools, for those who label elsewhere: Label Studio, Argilla, doccano and Prodigy.

Each tool has a file with a function that reads its rows as `Record`s and one that writes them; `formats` has the
registry, and finds out which tool wrote a file.
"""

from tutelage.exchange.formats import FORMATS as FORMATS
from tutelage.exchange.formats import Format as Format
from tutelage.exchange.formats import Found as Found
from tutelage.exchange.formats import read as read
from tutelage.exchange.records import GIVEN as GIVEN
from tutelage.exchange.records import NONE as NONE
from tutelage.exchange.records import SKIPPED as SKIPPED
from tutelage.exchange.records import UNSURE as UNSURE
from tutelage.exchange.records import Answer as Answer
from tutelage.exchange.records import Label as Label
from tutelage.exchange.records import Question as Question
from tutelage.exchange.records import Record as Record
from tutelage.exchange.records import Span as Span
from tutelage.exchange.records import Suggestion as Suggestion
from tutelage.exchange.rows import How as How
