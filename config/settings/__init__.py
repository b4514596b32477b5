"""Every setting of the site, read from the environment. A bad value stops the start and says why.

`make run` provides all of them; README.md lists them for production.
"""

from config.settings.applications import *
from config.settings.files import *
from config.settings.installation import *
from config.settings.maps import *
from config.settings.meters import *
from config.settings.money import *
from config.settings.monitoring import *
from config.settings.people import *
from config.settings.rest import *
from config.settings.security import *
from config.settings.servers import *
from config.settings.words import *
