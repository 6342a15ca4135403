"""The virtual IP and keepalived: who holds the address, and what keepalived and its scripts do."""

from __future__ import annotations

from console.core.conditions import pair_protection as pair
from console.core.conditions import scripts, virtual_ip, vrrp
from console.core.conditions.predicate import PredicateSpec
from console.core.runbooks.predicates.arguments import MASTER, VRRP_STATE

ROWS: tuple[PredicateSpec, ...] = (
    PredicateSpec("holds-vip", "The node's kernel has the virtual IP.", virtual_ip.holds_vip),
    PredicateSpec("no-vip", "The node's kernel does not have the virtual IP.", virtual_ip.no_vip, hazard="H22"),
    PredicateSpec(
        "only-vip-holder",
        "The node has the virtual IP, and no other node has.",
        virtual_ip.only_vip_holder,
        hazard="H17",
    ),
    PredicateSpec("vip-reaches", "The server that answers at the virtual IP is the node's.", virtual_ip.vip_reaches),
    PredicateSpec(
        "behind-vip",
        "The virtual IP reaches the node, or no node holds it and nothing answers there.",
        virtual_ip.behind_vip,
        hazard="H04",
    ),
    PredicateSpec("keepalived-running", "keepalived runs on the node.", vrrp.keepalived_running),
    PredicateSpec("keepalived-stopped", "No keepalived runs on the node.", vrrp.keepalived_stopped, hazard="H01"),
    PredicateSpec("vrrp-state", "keepalived on the node is in this state.", vrrp.vrrp_state, (VRRP_STATE,)),
    PredicateSpec(
        "no-script-running",
        "No notify script of keepalived runs on the node.",
        vrrp.no_script_running,
        hazard="H09",
    ),
    PredicateSpec(
        "priority-rule",
        "The master's priority is above the node's, by less than the weight of the check: s < m < s + abs(weight).",
        vrrp.priority_rule,
        (MASTER,),
        hazard="H15",
    ),
    PredicateSpec(
        "master-first",
        "The master holds the virtual IP, is VRRP MASTER and none of its scripts run; the node is the replica.",
        vrrp.master_first,
        (MASTER,),
        hazard="H16",
    ),
    PredicateSpec(
        "scripts-agree",
        "No notify script of BACKUP (every start begins there), nor of MASTER on a master, undoes the pair. To undo it "
        "is "
        "to make a master a replica, to make a replica a master or a replica of another node, to restart or stop "
        "servers, or to delete data. A script that cannot be read blocks. What is not understood (other languages, "
        "variables, `notify`) is named and does not block.",
        scripts.scripts_agree,
        hazard="H10",
    ),
    PredicateSpec(
        "takes-over-well",
        "The notify script of MASTER on the node promotes it, and makes it a replica of no node but its present "
        "master.",
        scripts.takes_over_well,
        hazard="H10",
    ),
    PredicateSpec(
        "checks-agree",
        "No keepalived runs on the node, or no check of it restarts or stops Redis or keepalived by itself.",
        scripts.checks_agree,
        hazard="H10",
    ),
    PredicateSpec(
        "pair-protected",
        "One master behind the VIP, which accepts writes, a replica in sync, both keepaliveds in their states, and"
        " priorities by the rule.",
        pair.pair_protected,
        subject=False,
    ),
)
