"""The project that gets the tasks of trouble, where the policy wants one: what setup adds for it."""

from shipments.errors import SetupFault
from shipments.rules.policy import Policy
from workers.odoo.client import Odoo
from workers.odoo.fields import INTEGRATION, MODULE, PICKING, WITHOUT_ROLE, Item, Stage, access, rule

PROJECT, PROJECT_TASK, TASK_PICKING = "project_exceptions", "project.task", "x_milepost_picking_id"
_TASK_MODEL = "project.model_project_task"

_RIGHTS = (
    ("project_integration", INTEGRATION, "project.model_project_project", "1", "0", "0"),
    ("project_stage_integration", INTEGRATION, "project.model_project_task_type", "1", "0", "0"),
    ("project_task_integration", INTEGRATION, _TASK_MODEL, "1", "1", "1"),
)
_TAGS = access("project_tag_integration", INTEGRATION, "project.model_project_tags", "1", "0", "0")
_RULES = [
    rule("task", _TASK_MODEL, f"[('{TASK_PICKING}', '!=', False)]", INTEGRATION),
    rule(
        "project",
        "project.model_project_project",
        f"[('id', '=', user.env.ref('{MODULE}.{PROJECT}').id)]",
        INTEGRATION,
    ),
]


def project_stages(odoo: Odoo, policy: Policy) -> list[Stage]:
    """What has to be in that Odoo for project tasks; nothing if the policy wants none, or Odoo is older than 17.

    Raises SetupFault if Odoo has no projects.
    """
    if not policy.wants_project or odoo.version < (17, 0):
        return []
    if not odoo.field_names(PROJECT_TASK):
        raise SetupFault(
            ['The policy wants project tasks: install Project in Odoo, or set task = "activity" in the policy.']
        )
    link = {
        "model_id/id": _TASK_MODEL,
        "name": TASK_PICKING,
        "field_description": "Delivery",
        "ttype": "many2one",
        "copied": "0",
        "readonly": "1",
        "relation": PICKING,
        "on_delete": "set null",
        "index": "1",
    }
    named = {"name": policy.project, "privacy_visibility": "employees"}
    return [
        [Item("ir.model.fields", f"field_project_task__{TASK_PICKING}", f"{TASK_PICKING} on {PROJECT_TASK}", link)],
        [Item("project.project", PROJECT, f"the project {policy.project}", named)],
        *([_RULES] if odoo.version >= WITHOUT_ROLE else []),
        [*(access(*row) for row in _RIGHTS), *([_TAGS] if odoo.version >= WITHOUT_ROLE else [])],
    ]
