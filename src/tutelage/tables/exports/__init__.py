"""Exports of annotation tools and data libraries, as tables of plain columns."""

from tutelage.tables.exports.made import Made as Made
from tutelage.tables.exports.tools import TOOLS as TOOLS
from tutelage.tables.exports.tools import Tool as Tool
from tutelage.tables.exports.tools import recognised as recognised
