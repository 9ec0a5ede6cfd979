"""Random CIBs with a status section, small but crooked, to compare what we and crm_mon make of them."""

from random import Random

UUID = "6e1d1b0c-4a52-4c7e-9d64-0f5a1c1d2e3f"
NOW = 1_700_000_000
ROLES = ("Started", "Stopped")
OUTCOMES = ((0, 0), (0, 0), (0, 0), (1, 0), (7, 0), (5, 0), (1, 4), (1, 2), (6, 0), (9, 0), (8, 0), (190, 0), (4, 0))


class RandomCib:
    """One seed, one CIB."""

    KINDS = ("prim", "group", "clone", "ms", "uniq", "cgroup", "tpl", "remote", "guest", "bundle")

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.call = 1
        self.nodes = [f"node{number}" for number in range(1, self.random.randint(1, 3) + 1)]
        self.fencing = self.random.random() < 0.5
        self.names: list[str] = []
        self.promotable: set[str] = set()
        self.unique: set[str] = set()
        self.remotes: list[str] = []

    def maybe(self, chance: float, text: str) -> str:
        return text if self.random.random() < chance else ""

    def text(self) -> str:
        resources = self.resources()
        states = "".join(self.state(number, node) for number, node in enumerate(self.nodes, 1))
        states += "".join(self.remote_state(name) for name in self.remotes)
        nodes = "".join(
            f'<node id="{number}" uname="{node}">{self.permanent(node)}</node>'
            for number, node in enumerate(self.nodes, 1)
        )
        dc = self.maybe(0.8, f' dc-uuid="{self.random.randint(1, len(self.nodes))}"')
        return (
            f'<cib crm_feature_set="3.16.2" validate-with="pacemaker-3.9" epoch="7" num_updates="1" admin_epoch="0"'
            f' cib-last-written="Tue Nov 14 22:13:20 2023" have-quorum="{self.random.randint(0, 1)}"{dc}>'
            f'<configuration><crm_config><cluster_property_set id="cib-bootstrap-options">{self.properties()}'
            f"</cluster_property_set></crm_config><nodes>{nodes}</nodes><resources>{resources}</resources>"
            f"<constraints/>{self.defaults()}</configuration><status>{states}</status></cib>"
        )

    def properties(self) -> str:
        said = {"stonith-enabled": "true" if self.fencing else "false"}
        for name, values in {
            "maintenance-mode": ("true", "false"),
            "startup-fencing": ("false", "true"),
            "no-quorum-policy": ("ignore", "stop", "freeze"),
            "stop-orphan-resources": ("false", "true"),
            "shutdown-lock": ("true",),
        }.items():
            if self.random.random() < 0.2:
                said[name] = self.random.choice(values)
        return "".join(f'<nvpair id="p-{name}" name="{name}" value="{value}"/>' for name, value in said.items())

    def defaults(self) -> str:
        pair = '<nvpair id="d-{0}" name="{0}" value="{1}"/>'
        meta = self.maybe(0.3, pair.format("migration-threshold", 2)) + self.maybe(
            0.2, pair.format("failure-timeout", 60)
        )
        op = self.maybe(0.15, pair.format("on-fail", self.random.choice(("ignore", "block", "standby", "restart"))))
        return (
            f'<op_defaults><meta_attributes id="op-defaults">{op}</meta_attributes></op_defaults>'
            f'<rsc_defaults><meta_attributes id="rsc-defaults">{meta}</meta_attributes></rsc_defaults>'
        )

    def permanent(self, node: str) -> str:
        pairs = self.maybe(0.1, f'<nvpair id="{node}-s" name="standby" value="on"/>')
        pairs += self.maybe(0.1, f'<nvpair id="{node}-m" name="maintenance" value="true"/>')
        pairs += self.maybe(0.3, f'<nvpair id="{node}-site" name="site" value="a"/>')
        return f'<instance_attributes id="{node}-attributes">{pairs}</instance_attributes>'

    def resources(self) -> str:
        text = self.maybe(0.7, '<primitive id="fence" class="stonith" type="fence_dummy"/>')
        if text:
            self.names.append("fence")
        text += '<template id="tpl" class="ocf" provider="pacemaker" type="Dummy"><operations>'
        text += '<op id="tpl-m" name="monitor" interval="10s" on-fail="restart"/></operations></template>'
        for kind in self.random.sample(self.KINDS, 5):
            text += getattr(self, kind)()
        return text

    def primitive(self, name: str, agent: str = "Dummy") -> str:
        self.names.append(name)
        ops = ""
        for task, interval in (("monitor", "10s"), ("start", "0"), ("stop", "0s"), ("promote", "0"), ("demote", "0")):
            if self.random.random() < 0.4:
                choices = ("ignore", "block", "stop", "restart", "standby", "fence", "demote")
                policy = self.maybe(0.5, f' on-fail="{self.random.choice(choices)}"')
                role = ' role="Promoted"' if task == "monitor" and self.random.random() < 0.3 else ""
                ops += f'<op id="{name}-{task}" name="{task}" interval="{interval}"{policy}{role}/>'
        return (
            f'<primitive id="{name}" class="ocf" provider="pacemaker" type="{agent}">{self.meta(name)}'
            f"<operations>{ops}</operations></primitive>"
        )

    def meta(self, name: str, extra: str = "") -> str:
        pair = f'<nvpair id="{name}-{{0}}" name="{{0}}" value="{{1}}"/>'
        pairs = extra
        for key, value, chance in (
            ("is-managed", "false", 0.07),
            ("migration-threshold", "3", 0.2),
            ("failure-timeout", "120s", 0.2),
            ("target-role", self.random.choice(ROLES), 0.2),
            ("multiple-active", "block", 0.1),
        ):
            pairs += self.maybe(chance, pair.format(key, value))
        return f'<meta_attributes id="{name}-meta">{pairs}</meta_attributes>'

    def prim(self) -> str:
        return self.primitive("p1") + self.primitive("p2")

    def group(self) -> str:
        return f'<group id="g">{self.meta("g")}{self.primitive("g1")}{self.primitive("g2")}</group>'

    def clone(self) -> str:
        return f'<clone id="c">{self.meta("c")}{self.primitive("c1")}</clone>'

    def ms(self) -> str:
        self.promotable.add("m1")
        promotable = '<nvpair id="m-promotable" name="promotable" value="true"/>'
        return f'<clone id="m">{self.meta("m", promotable)}{self.primitive("m1", "Stateful")}</clone>'

    def uniq(self) -> str:
        self.unique.add("u1")
        unique = (
            '<nvpair id="u-gu" name="globally-unique" value="true"/><nvpair id="u-max" name="clone-max" value="3"/>'
        )
        return f'<clone id="u">{self.meta("u", unique)}{self.primitive("u1")}</clone>'

    def cgroup(self) -> str:
        group = f'<group id="cg">{self.primitive("cg1")}{self.primitive("cg2")}</group>'
        return f'<clone id="cgc">{self.meta("cgc")}{group}</clone>'

    def tpl(self) -> str:
        self.names.append("t1")
        return f'<primitive id="t1" template="tpl">{self.meta("t1")}</primitive>'

    def remote(self) -> str:
        self.remotes.append("far")
        return self.primitive("far", "remote")

    def guest(self) -> str:
        self.remotes.append("vm")
        self.names.append("vm")
        node = '<nvpair id="box-node" name="remote-node" value="vm"/>'
        text = self.primitive("box")
        return text.replace('<meta_attributes id="box-meta">', f'<meta_attributes id="box-meta">{node}')

    def bundle(self) -> str:
        self.remotes += ["b-0", "b-1"]
        self.names += ["b-podman-0", "b-podman-1", "b-0", "b-1"]
        promoted = self.maybe(0.5, ' promoted-max="1"')
        return (
            f'<bundle id="b">{self.meta("b")}<podman image="i" replicas="2"{promoted}/><network control-port="9999"/>'
            f"{self.primitive('inner', 'Stateful')}</bundle>"
        )

    def state(self, number: int, node: str) -> str:
        if self.random.random() < 0.05:
            return ""
        healthy = self.random.random() < 0.6
        pick = self.random.choice
        member = "true" if healthy else pick(("true", "false"))
        peer = "online" if healthy else pick(("online", "offline"))
        join = "member" if healthy else pick(("member", "down", "pending", "banned"))
        expected = "member" if healthy else pick(("member", "down"))
        return (
            f'<node_state id="{number}" uname="{node}" in_ccm="{member}" crmd="{peer}" join="{join}"'
            f' expected="{expected}">{self.transient(str(number))}{self.lrm(str(number), node)}</node_state>'
        )

    def remote_state(self, name: str) -> str:
        if self.random.random() < 0.2:
            return ""
        return (
            f'<node_state remote_node="true" id="{name}" uname="{name}" in_ccm="true">'
            f"{self.transient(name)}{self.lrm(name, name)}</node_state>"
        )

    def transient(self, key: str) -> str:
        pair = f'<nvpair id="status-{key}-{{0}}" name="{{1}}" value="{{2}}"/>'
        pairs = self.maybe(0.07, pair.format("shutdown", "shutdown", NOW))
        pairs += self.maybe(0.05, pair.format("terminate", "terminate", "true"))
        pairs += self.maybe(0.05, pair.format("standby", "standby", "true"))
        for index, name in enumerate(self.names):
            if self.random.random() < 0.15:
                instance = f"{name}:0" if name in self.unique else name
                count = self.random.choice(("1", "2", "INFINITY"))
                age = self.random.choice((10, 100, 1000))
                pairs += pair.format(f"fc{index}", f"fail-count-{instance}#monitor_10000", count)
                pairs += pair.format(f"fs{index}", f"fail-count-{instance}#start_0", "1")
                pairs += pair.format(f"lf{index}", f"last-failure-{instance}#monitor_10000", NOW - age)
        attributes = f'<instance_attributes id="status-{key}">{pairs}</instance_attributes>'
        return f'<transient_attributes id="{key}">{attributes}</transient_attributes>'

    def lrm(self, key: str, node: str) -> str:
        records = "".join(self.record(name, node) for name in self.names if self.random.random() < 0.6)
        records += self.maybe(0.1, self.record("ghost", node))
        return f'<lrm id="{key}"><lrm_resources>{records}</lrm_resources></lrm>'

    def record(self, name: str, node: str) -> str:
        if node in self.remotes and name in ("fence", "box", "b-podman-0", "b-podman-1", *self.remotes):
            return ""
        if (name == "inner") is not node.startswith("b-"):
            return ""
        agent = "remote" if name in self.remotes else "Stateful" if name in self.promotable else "Dummy"
        if name in self.unique:
            name = f"{name}:{self.random.randint(0, 2)}"
        sort = (
            'class="stonith" type="fence_dummy"'
            if name == "fence"
            else f'class="ocf" provider="pacemaker" type="{agent}"'
        )
        return f'<lrm_resource id="{name}" {sort}>{self.history(name, node)}</lrm_resource>'

    def history(self, name: str, node: str) -> str:
        tasks = ["monitor", "start", "start", "start", "stop"]
        if name in self.promotable:
            tasks += ["promote", "promote", "demote"]
        if name in ("p1", "p2") and len(self.nodes) > 1 and node in self.nodes:
            tasks += ["migrate_to", "migrate_from"] * 2
        ops = self.operation((name, node), f"{name}_last_0", self.random.choice(tasks), 0)
        if self.random.random() < 0.4:
            ops += self.operation((name, node), f"{name}_monitor_10000", "monitor", 10000)
        if self.random.random() < 0.25:
            choices = [("monitor", 10000), ("start", 0), ("stop", 0), ("monitor", 0)]
            if name in ("p1", "p2") and len(self.nodes) > 1 and node in self.nodes:
                choices += [("migrate_to", 0), ("migrate_from", 0)] * 2
            task, interval = self.random.choice(choices)
            ops += self.operation((name, node), f"{name}_last_failure_0", task, interval, failed=True)
        return ops

    def operation(self, where: tuple[str, str], key: str, task: str, interval: int, *, failed: bool = False) -> str:
        name, node = where
        self.call += 1
        call = self.call if self.random.random() < 0.8 else self.call - 3
        promoted = name in self.promotable and self.random.random() < 0.5
        target = {"monitor": 7 if interval == 0 else 8 if promoted else 0}.get(task, 0)
        rc, status = self.random.choice(OUTCOMES) if failed or self.random.random() < 0.25 else (target, 0)
        pending = not failed and self.random.random() < 0.05
        if pending:
            rc, status = 193, -1
        change = NOW - self.random.choice((5, 90, 500, 5000))
        graph = self.call if pending else call  # an order that no record contradicts
        transition = f"{self.random.randint(1, 60)}:{graph}:{target}:{UUID}"
        other = self.random.choice([item for item in self.nodes if item != node] or [node])
        ends = {"migrate_to": (node, other), "migrate_from": (other, node)}.get(task)
        migration = f' migrate_source="{ends[0]}" migrate_target="{ends[1]}"' if ends else ""
        return (
            f'<lrm_rsc_op id="{key}" operation_key="{name}_{task}_{interval}" operation="{task}"'
            f' crm_feature_set="3.16.2" transition-key="{transition}" transition-magic="{status}:{rc};{transition}"'
            f' on_node="{node}" call-id="{-1 if pending else call}" rc-code="{rc}" op-status="{status}"'
            f' interval="{interval}" last-rc-change="{change}" exec-time="12" queue-time="0"{migration}/>'
        )
