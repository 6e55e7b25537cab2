"""How files are read, as `tutelage.data.how` has it, where a command finds it without a library that reads tables."""

from tutelage.data.how import HEADER as HEADER
from tutelage.data.how import QUOTES as QUOTES
from tutelage.data.how import USUAL as USUAL
from tutelage.data.how import ReadAs as ReadAs
