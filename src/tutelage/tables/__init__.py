"""Tables in files: read as they were meant, with what was read and what looked odd; and written."""

from tutelage.data.errors import DataError as DataError
from tutelage.tables.cells import as_label as as_label
from tutelage.tables.cells import column as column
from tutelage.tables.cells import no_column as no_column
from tutelage.tables.charsets import encoding_of as encoding_of
from tutelage.tables.charsets import undecodable as undecodable
from tutelage.tables.endings import FORMATS as FORMATS
from tutelage.tables.endings import ending_of as ending_of
from tutelage.tables.exports.write import in_tools_form as in_tools_form
from tutelage.tables.how import USUAL as USUAL
from tutelage.tables.how import ReadAs as ReadAs
from tutelage.tables.notes import UNHEARD as UNHEARD
from tutelage.tables.notes import Notes as Notes
from tutelage.tables.notes import Question as Question
from tutelage.tables.read import column_names as column_names
from tutelage.tables.read import holds_table as holds_table
from tutelage.tables.read import read as read
from tutelage.tables.read import read_table as read_table
from tutelage.tables.read import text_of as text_of
from tutelage.tables.seen import FileSeen as FileSeen
from tutelage.tables.seen import Table as Table
from tutelage.tables.text_folder import LABEL as LABEL
from tutelage.tables.text_folder import TEXT as TEXT
from tutelage.tables.text_folder import holds_texts as holds_texts
from tutelage.tables.write import writable as writable
from tutelage.tables.write import write_table as write_table
