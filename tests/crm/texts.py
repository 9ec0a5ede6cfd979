"""Configurations in crm's language, as people write them: everything that the language has."""

REFERENCE = """
property stonith-enabled=false
property no-quorum-policy=ignore
primitive vip ocf:heartbeat:IPaddr2 params ip=192.168.1.60 cidr_netmask=24 nic="bond1" op monitor interval="10s"
primitive httpd ocf:heartbeat:apache params configfile="/etc/apache2/apache2.conf" op start timeout="60s" \
 op stop timeout="60s" op monitor timeout="20s"
colocation httpd-with-vip inf: httpd vip
location preferred-node vip 100: n1
primitive ping-gateway ocf:pacemaker:ping params host_list="192.168.1.1" multiplier="1000" op monitor interval="10s"
clone cloned-ping-gateway ping-gateway
location vip-needs-gateway vip rule -inf: not_defined pingd or pingd lte 0
"""

REFERENCE_PARTS = (REFERENCE.replace("property no-quorum-policy=ignore", ""), "property no-quorum-policy=ignore")
SEVERAL = (
    "property a=1",
    "property a=2 b=3",
    "rsc_defaults resource-stickiness=1",
    "rsc_defaults migration-threshold=3",
)
"""Statements that crm takes one after another, and never in one load."""

RESOURCES = r"""
# one
# two
node 1: n1 attributes standby=off rack="a b" utilization cpu=8
node 2: n2:member description="the other one" \
    $id=x-attributes rack=b
primitive p1 Dummy
primitive p2 ocf:pacemaker:Dummy state=/run/p2 fake="it's \"so\" a\b" op monitor interval=10 OCF_CHECK_LEVEL=10
PRIMITIVE p3 ocf:heartbeat:Dummy description='three words here' \
    PARAMS fake=x \
    meta target-role="Stopped" is-managed=no \
    utilization cpu=2 \
    op start timeout=60s interval=0 \
    op monitor interval=10s timeout=20 role=Started on-fail=restart op_params depth=0 op_meta timeout=30 \
    op stop timeout=1min
primitive p4 Dummy params rule #uname eq n1 fake=a params rule $id=p4-rule -inf: defined x and date gt 2024-01-01 \
    and date lt 2025-01-01 fake=b params 10: fake=c meta $id=p4-meta priority=5
primitive p5 Dummy params rule date spec hours=9-17 weekdays=1-5 fake=a \
    params rule date in start=2024-01-01 end=2024-02-01 fake=b
rsc_template t1 ocf:heartbeat:Dummy params fake=7 op monitor interval=20s
primitive p9 @t1 params fake=8
primitive st stonith:null params hostlist="n1 n2"
group g1 p1 p2 description="a group" meta target-role=Started
group g2 p3 p4
clone c1 p5 meta interleave=true clone-max=2
clone c2 g2
"""

REFERENCES = (
    """
primitive p1 Dummy params $id=p1-params $p1-fake:fake=1 $p1-state:state=/run/6 meta $id=p1-meta priority=5
primitive p2 Dummy operations $id=p2-operations op monitor interval=30s
location l1 p1 rule $id=l1-rule 50: #uname eq n1
""",
    """
primitive p3 Dummy params @p1-fake @p1-state:fake meta $id-ref=p1-meta
primitive p4 Dummy params $id-ref=p1-params operations $id-ref=p2-operations
primitive p5 Dummy operations $id-ref=p2
location l2 p2 rule $id-ref=l1-rule
ms m1 p3 meta master-max=1 notify=yes
clone c3 p4 meta promotable=true promoted-max=1
""",
)

CONSTRAINTS = """
node 1: n1
node 2: n2
primitive a Dummy
primitive b Dummy
primitive c Dummy
primitive d Dummy
primitive e ocf:pacemaker:Stateful
ms m e
location l1 a 100: n1
location l2 a inf: n2 role=Started
location l3 m role=Master -INFINITY: n1
location l4 a resource-discovery=exclusive -inf: n1
location l5 /web-.*/ 20: n2
location l6 { a b } 5: n1
location l7 { a ( b c ) sequential=false d } rule 10: #uname eq n1
location l8 m rule $role=Promoted 50: #uname eq n1 rule $id=l8-second -inf: #uname ne n2 and pingd number:lt 1
location l9 a rule cpu-rank: defined cpu-rank
location l11 a rule #uname string:eq n1 or version version:gte 1.2 or load integer:gt 3
location l12 a rule -inf: ping lt meta{priority} or ping eq param{fake}
location l13 a rule date gt "2024-01-01 10:00:00" and date in start=2024-01-01 hours=5 and date spec years=2024 moon=1
location l14 a mandatory: n1
location l15 a advisory: n2
colocation k1 inf: a b
colocation k2 -inf: a:Started m:Master
colocation k3 100: a b node-attribute=rack
colocation k4 inf: a ( b c ) d:Started
colocation k5 INFINITY: _rsc_set_ a b
collocation k6 0: a b
colocation k7 inf: (a b) c
order o1 a b
order o2 Mandatory: a b
order o3 optional: a:stop b:start
order o4 0: a b
order o5 inf: a b symmetrical=false
order o6 Serialize: a ( b c ) d
order o7 Mandatory: [ a b ] c
order o8 Mandatory: [ a b sequential=true ] c:start
order o9 m:promote a:start symmetrical=yes
order o10 Mandatory: a b require-all=false
order o11 Mandatory: a:start b:start c:stop
rsc_ticket r1 t1: a
rsc_ticket r2 t1: m:Master loss-policy=demote
rsc_ticket r3 t1: a b:Started
rsc_ticket r4 t1: _rsc_set_ a
"""

OTHERS = r"""
node 1: n1
node 2: n2
primitive a Dummy
primitive b Dummy
primitive f1 stonith:null params hostlist=n1
primitive f2 stonith:null params hostlist=n2
fencing_topology n1: f1,f2 f2 n2: f2 pattern:n.* f1 attr:rack=1 f1 f2
property cib-bootstrap-options: stonith-enabled=false \
    no-quorum-policy=stop
property $id=more rule #uname eq n1 a=1 b="x y"
property others: c=2
rsc_defaults resource-stickiness=100 migration-threshold=3
rsc_defaults extra: rule date spec hours=9-17 resource-stickiness=0
op_defaults op-options: timeout=30s
tag t1: a b
tag t2 a
role r1 read xpath:"/cib" deny type:nvpair attr:value write ref:a read description="all of it" cib deny meta:a:x
role r2 description="two words" write property:stonith-enabled read node:n1 read location:a
acl_target u1 r1 r2
acl_group wheel r1
alert al1 /path/to/alert description="says it" attributes a=1 meta timeout=10s select nodes fencing \
    to a@example.org
alert al2 "/path/with blank" to { /var/log/x attributes v=1 meta timeout=5s } to { "b c" } \
    select attributes { x y } resources
xml <rsc_location id="x1" rsc="a"> \
  <rule id="x1-rule" score="10"> \
    <expression id="x1-e" attribute="#uname" operation="eq" value="n1"/> \
  </rule> \
</rsc_location>
xml <primitive id="x2" class="ocf" provider="heartbeat" type="Dummy"/>
"""

BUNDLES = """
primitive inside Dummy
bundle b1 description="a bundle" docker image=web:1 replicas=2 options="--log-driver journald" \
    network ip-range-start=192.0.2.100 control-port=3121 port-mapping port=80 port-mapping id=https port=443 \
    storage storage-mapping source-dir=/a target-dir=/b options=ro storage-mapping source-dir-root=/c target-dir=/d \
    meta target-role=Stopped primitive inside
"""

LOADABLE = {
    "resources": (RESOURCES,),
    "references": REFERENCES,
    "constraints": (CONSTRAINTS,),
    "others": (OTHERS,),
    "bundles": (BUNDLES,),
    "reference case": REFERENCE_PARTS,
}
"""What crm takes; what refers to an id is loaded after what has it, because crm wants that."""
