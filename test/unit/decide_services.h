/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of decide_rows.h: services, secrets, configs (semantics 2.9, 13). */
/* clang-format off */
#define SG(id, rest) "  - {id: " id ", team: pay, role: all, " rest "}\n"
#define ALL "phases: [\"*\"], "
#define SVCP "profile: svc"
#define SPROF "  svc: {images: {allow: [\"**\"]}, restart: [always], mounts: {bind: [\"/srv/${team}/**\"], shared_trees: true}, namespaces: {network: [private, own]}}\n"
#define SS SPROF GRANTS SG("g", ALL SVCP)
#define SCREATE "POST /v1.41/services/create"
#define SUPDATE "POST /v1.41/services/s/update?version=7"
#define BACK SUPDATE "&rollback=previous"
#define TASK_OF(spec) "'TaskTemplate':{'ContainerSpec':{'Image':'alpine'" spec "}}"
#define PLAIN_SERVICE "{'Name':'s'," TASK_OF("") "}"
#define SVC_IS(more) "[{'kind':'service','ref':'s','by':'name'," more "}]"
#define PREVIOUS(version, spec) "'inspect':{'Version':{'Index':" version "},'PreviousSpec':{'Name':'s'," TASK_OF(spec) "}}"
    {SS, "h", {.call = SCREATE, .body = PLAIN_SERVICE}, "allow grant g owner pay/dev"},
    {GRANTS SG("g", "phases: [dev]"), "h", {.call = SCREATE, .body = PLAIN_SERVICE}, "deny no-profile g"},
    {SS, "h", {.call = SCREATE, .body = "{" TASK_OF(",'CapabilityAdd':['SYS_ADMIN']") "}"}, "deny profile g capabilities.add"},
    {SS, "h", {.call = SCREATE, .body = "{}"}, "deny ambiguous-request"},
    {SS, "h", {.call = SCREATE, .body = "{" TASK_OF("") ",'taskTemplate':{}}"}, "deny ambiguous-request"},
    {SS, "h", {.call = SCREATE, .body = "{'TaskTemplate':{'Runtime':'plugin','PluginSpec':{'Name':'x'}}}"}, "deny owner g"},
    {SPROF GRANTS SG("g", ALL SVCP ", owner: any"), "h", {.call = SCREATE, .body = "{'TaskTemplate':{'Runtime':'plugin','PluginSpec':{'Name':'x'}}}"}, "deny must-default g"},
    {GRANTS SG("g", ALL "profile: unrestricted"), "h", {.call = SCREATE, .body = "{'TaskTemplate':{'Runtime':'plugin','PluginSpec':{'Name':'x'}}}"}, "deny owner g"},
    {GRANTS SG("g", ALL "profile: unrestricted, owner: any"), "h", {.call = SCREATE, .body = "{'TaskTemplate':{'Runtime':'plugin','PluginSpec':{'Name':'x'}}}"}, "allow grant g owner pay/dev"},
    {SS, "h", {.call = SCREATE, .body = "{'TaskTemplate':{'Runtime':'attachment','NetworkAttachmentSpec':{'ContainerID':'x'}}}"}, "deny owner g"},
    {SPROF GRANTS SG("g", ALL SVCP ", owner: any"), "h", {.call = SCREATE, .body = "{'TaskTemplate':{'Runtime':'attachment','NetworkAttachmentSpec':{'ContainerID':'x'}}}"}, "deny must-default g"},
    {SS, "h", {.call = SCREATE, .body = "{'TaskTemplate':{'Runtime':'container','ContainerSpec':{'Image':'alpine'}}}"}, "allow grant g owner pay/dev"},

    /* what the containers of a service say they are */
    {SS, "h", {.call = SCREATE, .body = "{'Labels':{'t':'pay','p':'dev'}," TASK_OF(",'Labels':{'t':'pay','p':'dev'}") "}"}, "allow grant g owner pay/dev"},
    {SS, "h", {.call = SCREATE, .body = "{" TASK_OF(",'Labels':{'t':'pay','p':'dev'}") "}"}, "allow grant g owner pay/dev"},
    {SS, "h", {.call = SCREATE, .body = "{'Labels':{'t':'pay'}," TASK_OF("") "}"}, "allow grant g owner pay/dev"},
    {SS, "h", {.call = SCREATE, .body = "{'Labels':{'t':'ml'}," TASK_OF("") "}"}, "deny owner g"},
    {SS, "h", {.call = SCREATE, .body = "{'Labels':{'t':'pay'}," TASK_OF(",'Labels':{'t':'ml'}") "}"}, "deny owner g"},
    {SS, "h", {.call = SCREATE, .body = "{" TASK_OF(",'Labels':{'t':'ml'}") "}"}, "deny owner g"},
    {SS, "h", {.call = SCREATE, .body = "{" TASK_OF(",'Labels':{'p':'test'}") "}"}, "deny phase-mismatch g"},
    {SPROF GRANTS SG("g", ALL SVCP ", owner: [pay, ml]"), "h", {.call = SCREATE, .body = "{'Labels':{'t':'ml'}," TASK_OF(",'Labels':{'t':'pay'}") "}"}, "deny owner g"},
    {SPROF GRANTS SG("g", ALL SVCP ", owner: any"), "h", {.call = SCREATE, .body = "{'Labels':{'t':'ml'}," TASK_OF(",'Labels':{'t':'ml'}") "}"}, "allow grant g owner ml/dev"},
    {SS, "h", {.call = SCREATE, .body = "{" TASK_OF(",'Mounts':[{'Type':'volume','Target':'/x','VolumeOptions':{'Labels':{'t':'ml'}}}]") "}"}, "deny owner g"},

    /* references */
    {SS, "h", {.call = SCREATE, .body = "{" TASK_OF(",'Secrets':[{'SecretID':'sec','SecretName':'n'}]") "}", .objects = "[{'kind':'secret','ref':'sec','team':'pay','phase':'dev'}]"}, "allow grant g owner pay/dev"},
    {SS, "h", {.call = SCREATE, .body = "{" TASK_OF(",'Secrets':[{'SecretID':'sec','SecretName':'n'}]") "}", .objects = "[{'kind':'secret','ref':'sec','team':'ml','phase':'dev'}]"}, "deny owner g"},
    {SS, "h", {.call = SCREATE, .body = "{" TASK_OF(",'Secrets':[{'SecretID':'sec','SecretName':'n'}]") "}"}, "deny no-such-object g"},
    {SS, "h", {.call = SCREATE, .body = "{" TASK_OF(",'Secrets':[{'SecretName':'n'}]") "}"}, "deny ambiguous-request"},
    {SS, "h", {.call = SCREATE, .body = "{" TASK_OF(",'Configs':[{'ConfigID':'cf','ConfigName':'n','Runtime':{}}]") "}", .objects = "[{'kind':'config','ref':'cf','labels':{'t':'ml'}}]"}, "deny owner g"},
    {SS, "h", {.call = SCREATE, .body = "{" TASK_OF(",'Privileges':{'CredentialSpec':{'Config':'cf'}}") "}", .objects = "[{'kind':'config','ref':'cf','labels':{'t':'ml'}}]"}, "deny owner g"},
    {SS, "h", {.call = SCREATE, .body = "{'Networks':[{'Target':'n'}]," TASK_OF("") "}", .objects = "[{'kind':'network','ref':'n','team':'ml','phase':'dev','inspect':{'Scope':'swarm'}}]"}, "deny owner g"},
    {SS, "h", {.call = SCREATE, .body = "{'Networks':[{'Target':'n'}]," TASK_OF("") "}", .objects = "[{'kind':'network','ref':'n','team':'pay','phase':'dev','inspect':{'Scope':'swarm'}}]"}, "allow grant g owner pay/dev"},
    {SS, "h", {.call = SCREATE, .body = "{" TASK_OF(",'Mounts':[{'Type':'volume','Source':'v0','Target':'/x'}]") "}", .objects = "[{'kind':'volume','ref':'v0','team':'ml','phase':'dev'}]"}, "deny owner g"},
    /* one node: what is here is all there is */
    {SS, "h", {.call = SCREATE, .body = "{" TASK_OF(",'Mounts':[{'Type':'volume','Source':'v0','Target':'/x'}]") "}", .objects = "[{'kind':'volume','ref':'v0','team':'pay','phase':'dev','driver':'local'}]"}, "deny cannot-tell g mounts.volumes"},
    {SS, "h", {.call = SCREATE, .one_node = true, .body = "{" TASK_OF(",'Mounts':[{'Type':'volume','Source':'v0','Target':'/x'}]") "}", .objects = "[{'kind':'volume','ref':'v0','team':'pay','phase':'dev','driver':'local'}]"}, "allow grant g owner pay/dev"},
    {SS, "h", {.call = SCREATE, .body = "{" TASK_OF(",'Mounts':[{'Type':'bind','Source':'/srv/pay/x','Target':'/x'}]") "}"}, "deny cannot-tell g mounts.bind"},
    {SS, "h", {.call = SCREATE, .one_node = true, .body = "{" TASK_OF(",'Mounts':[{'Type':'bind','Source':'/srv/pay/x','Target':'/x'}]") "}"}, "allow grant g owner pay/dev"},
    {SS, "h", {.call = SCREATE, .one_node = true, .body = "{" TASK_OF(",'Mounts':[{'Type':'bind','Source':'/srv/pay/x','Target':'/x'}]") "}", .paths = "[{'path':'/srv/pay/x','link':10}]"}, "deny profile g mounts.bind"},
    {SS, "h", {.call = SCREATE, .one_node = true, .body = "{" TASK_OF(",'Mounts':[{'Type':'bind','Source':'/etc','Target':'/x'}]") "}"}, "deny profile g mounts.bind"},
    {GRANTS SG("g", ALL "profile: unrestricted"), "h", {.call = SCREATE, .body = "{" TASK_OF(",'Mounts':[{'Type':'bind','Source':'/run','Target':'/x'}]") "}", .paths = "[{'path':'/run','protected':true}]"}, "deny profile g mounts.protected"},

    /* update: whose it is stays so */
    {SS, "h", {.call = SUPDATE, .body = PLAIN_SERVICE, .objects = SVC_IS("'team':'pay','phase':'dev'")}, "allow grant g"},
    {SS, "h", {.call = SUPDATE, .body = PLAIN_SERVICE, .objects = SVC_IS("'team':'ml','phase':'dev'")}, "deny owner g"},
    {SS, "h", {.call = SUPDATE, .body = PLAIN_SERVICE}, "deny no-such-object g"},
    {SS, "h", {.call = "POST /v1.41/services/s/update", .body = PLAIN_SERVICE, .objects = SVC_IS("'team':'pay','phase':'dev'")}, "deny ambiguous-request"},
    {SS, "h", {.call = SUPDATE "&rollback=yes", .body = PLAIN_SERVICE, .objects = SVC_IS("'team':'pay','phase':'dev'")}, "deny ambiguous-request"},
    {SS, "h", {.call = SUPDATE "&rollback=none&registryAuthFrom=spec", .body = PLAIN_SERVICE, .objects = SVC_IS("'team':'pay','phase':'dev'")}, "allow grant g"},
    {SS, "h", {.call = SUPDATE "&power=1", .body = PLAIN_SERVICE, .objects = SVC_IS("'team':'pay','phase':'dev'")}, "deny profile g unknown_fields"},
    {SS, "h", {.call = SUPDATE, .body = "{'Labels':{'t':'ml'}," TASK_OF("") "}", .objects = SVC_IS("'team':'pay','phase':'dev'")}, "deny owner g"},
    {SPROF GRANTS SG("g", ALL SVCP ", owner: any"), "h", {.call = SUPDATE, .body = "{'Labels':{'t':'ml'}," TASK_OF("") "}", .objects = SVC_IS("'team':'pay','phase':'dev'")}, "deny owner g"},
    {SPROF GRANTS SG("g", ALL SVCP ", owner: any"), "h", {.call = SUPDATE, .body = "{'Labels':{'t':'ml'}," TASK_OF("") "}", .objects = SVC_IS("'id':'x'")}, "allow grant g"},
    {SPROF GRANTS SG("g", ALL SVCP ", owner: any"), "h", {.call = SUPDATE, .body = "{'Labels':{'t':'who'}," TASK_OF("") "}", .objects = SVC_IS("'id':'x'")}, "deny owner g"},
    {SS, "h", {.call = SUPDATE, .body = "{'Labels':{'t':'pay','p':'test'}," TASK_OF("") "}", .objects = SVC_IS("'team':'pay','phase':'dev'")}, "deny phase-mismatch g"},
    {SS, "h", {.call = SUPDATE, .body = "{'Labels':{'t':'pay'}," TASK_OF(",'Labels':{'t':'ml'}") "}", .objects = SVC_IS("'team':'pay','phase':'dev'")}, "deny owner g"},
    {SS, "h", {.call = SUPDATE, .body = "{" TASK_OF("") "}", .objects = SVC_IS("'labels':{'t':'pay'}")}, "deny owner g"},
    {SS, "h", {.call = SUPDATE, .body = "{'Labels':{'t':'pay'}," TASK_OF("") "}", .objects = SVC_IS("'labels':{'t':'pay'}")}, "allow grant g"},
    {SS, "m", {.call = SUPDATE, .body = "{'Labels':{'t':'pay'}," TASK_OF("") "}", .objects = SVC_IS("'labels':{'t':'pay','p':'test'}")}, "deny phase-mismatch g"},
    {SS, "m", {.call = SUPDATE, .body = "{'Labels':{'t':'pay','p':'test'}," TASK_OF("") "}", .objects = SVC_IS("'labels':{'t':'pay','p':'test'}")}, "allow grant g"},
    {SS, "m", {.call = SUPDATE, .body = "{'Labels':{'t':'pay','p':'dev'}," TASK_OF("") "}", .objects = SVC_IS("'labels':{'t':'pay','p':'test'}")}, "deny phase-mismatch g"},

    /* rollback */
    {SS, "h", {.call = BACK, .body = PLAIN_SERVICE, .objects = SVC_IS("'team':'pay','phase':'dev'," PREVIOUS("7", ""))}, "allow grant g"},
    {SS, "h", {.call = BACK, .body = PLAIN_SERVICE, .objects = SVC_IS("'team':'pay','phase':'dev'," PREVIOUS("7", ",'CapabilityAdd':['SYS_ADMIN']"))}, "deny profile g capabilities.add"},
    {SS, "h", {.call = BACK, .body = "{" TASK_OF(",'CapabilityAdd':['SYS_ADMIN']") "}", .objects = SVC_IS("'team':'pay','phase':'dev'," PREVIOUS("7", ""))}, "allow grant g"},
    {SS, "h", {.call = BACK, .body = PLAIN_SERVICE, .objects = SVC_IS("'team':'pay','phase':'dev'," PREVIOUS("8", ""))}, "deny cannot-tell g"},
    {SS, "h", {.call = BACK, .body = PLAIN_SERVICE, .objects = SVC_IS("'team':'pay','phase':'dev','inspect':{'Version':{'Index':7}}")}, "deny cannot-tell g"},
    {SS, "h", {.call = BACK, .body = PLAIN_SERVICE, .objects = SVC_IS("'team':'pay','phase':'dev'")}, "deny cannot-tell g"},
    {GRANTS SG("g", ALL "profile: unrestricted"), "h", {.call = BACK, .body = PLAIN_SERVICE, .objects = SVC_IS("'team':'pay','phase':'dev'")}, "deny cannot-tell g"},
    {SS, "h", {.call = BACK, .body = PLAIN_SERVICE, .objects = "[{'kind':'service','ref':'s','team':'pay','phase':'dev'," PREVIOUS("7", ",'Secrets':[{'SecretID':'sec'}]") "},{'kind':'secret','ref':'sec','team':'ml'}]"}, "deny owner g"},
    {SS, "h", {.call = BACK, .body = PLAIN_SERVICE, .objects = SVC_IS("'team':'pay','phase':'dev'," PREVIOUS("7", ",'Labels':{'t':'ml'}"))}, "deny owner g"},

    /* cluster_phases */
    {SPROF GRANTS SG("g", "phases: [dev], " SVCP) "cluster_phases: [dev, test]\n", "h", {.call = SCREATE, .body = PLAIN_SERVICE}, "deny phase g"},
    {SPROF GRANTS SG("g", "phases: [dev, test], " SVCP) "cluster_phases: [dev, test]\n", "h", {.call = SCREATE, .body = PLAIN_SERVICE}, "allow grant g owner pay/dev"},
    {SPROF GRANTS SG("g", ALL SVCP) "cluster_phases: [dev, test]\n", "h", {.call = SCREATE, .body = PLAIN_SERVICE}, "allow grant g owner pay/dev"},
    {SPROF GRANTS SG("g", ALL SVCP) "cluster_phases: [prod]\n", "h", {.call = SCREATE, .body = PLAIN_SERVICE}, "deny phase g"},
    {SPROF GRANTS SG("g", "phases: [dev]") "cluster_phases: [dev, prod]\n", "h", {.call = "GET /v1.41/services/s", .objects = SVC_IS("'team':'pay'")}, "deny phase g"},
    {SPROF GRANTS SG("g", "phases: [dev]") "cluster_phases: [dev, prod]\n", "h", {.call = "GET /v1.41/secrets/s", .objects = "[{'kind':'secret','ref':'s','team':'pay'}]"}, "allow grant g"},
    {SPROF GRANTS SG("g", ALL SVCP) "cluster_phases: [dev, prod]\n" "guards:\n  - {id: q, phases: [prod], deny: {service: [create]}}\n", "h", {.call = SCREATE, .body = PLAIN_SERVICE}, "deny guard q"},
    {SPROF GRANTS SG("g", ALL SVCP) "cluster_phases: [dev, cold]\n", "h", {.call = SCREATE, .body = PLAIN_SERVICE, .now = MONDAY}, "deny freeze"},
    {SPROF GRANTS SG("g", ALL SVCP) "cluster_phases: [dev, cold]\n", "h", {.call = SCREATE, .body = PLAIN_SERVICE, .now = WEDNESDAY}, "allow grant g owner pay/dev"},
    {"  p2: {images: {allow: [\"**\"]}}\n" GRANTS SG("g", ALL "profile: p2") "cluster_phases: [soft, dev]\n", "c", {.call = SCREATE, .body = PLAIN_SERVICE}, "deny profile g restart"},
    {"  p2: {images: {allow: [\"**\"]}}\n" GRANTS SG("g", ALL "profile: p2") "cluster_phases: [soft]\n", "c", {.call = SCREATE, .body = PLAIN_SERVICE}, "would-deny profile g restart owner pay/soft"},

    /* a task is its service's */
    {SS, "h", {.call = "GET /v1.41/tasks/k", .objects = "[{'kind':'task','ref':'k','container':'sid'},{'kind':'service','ref':'sid','team':'pay','phase':'dev'}]"}, "allow grant g"},
    {SS, "h", {.call = "GET /v1.41/tasks/k/logs?stdout=1", .objects = "[{'kind':'task','ref':'k','container':'sid'},{'kind':'service','ref':'sid','team':'ml','phase':'dev'}]"}, "deny owner g"},
    {SS, "h", {.call = "GET /v1.41/tasks/k", .objects = "[{'kind':'task','ref':'k','container':'sid'}]"}, "deny no-such-object g"},
    {SS, "h", {.call = "GET /v1.41/tasks/k", .objects = "[{'kind':'task','ref':'k'}]"}, "deny owner g"},

    /* bodies that need no profile */
    {GRANTS SG("g", "phases: [dev]"), "h", {.call = "POST /v1.41/secrets/create", .body = "{'Name':'n','Labels':{'t':'pay'},'Data':'eA=='}"}, "allow grant g owner pay/dev"},
    {GRANTS SG("g", "phases: [dev]"), "h", {.call = "POST /v1.41/secrets/create", .body = "{'Name':'n','Labels':{'t':'ml'},'Data':'eA=='}"}, "deny owner g"},
    {GRANTS SG("g", "phases: [dev]"), "h", {.call = "POST /v1.41/secrets/create", .body = "{'Name':'n','Driver':{'Name':'vault'}}"}, "deny must-default g"},
    {GRANTS SG("g", "phases: [dev]"), "h", {.call = "POST /v1.41/secrets/create", .body = "{'Name':'n','Templating':{'Name':'golang'}}"}, "allow grant g owner pay/dev"},
    {GRANTS SG("g", "phases: [dev]"), "h", {.call = "POST /v1.41/configs/create", .body = "{'Name':'n','Templating':{'Name':'lua'}}"}, "deny must-default g"},
    {GRANTS SG("g", "phases: [dev]"), "h", {.call = "POST /v1.41/configs/create", .body = "{'Name':'n','Power':1}"}, "deny profile g unknown_fields"},
    {"  loose: {unknown_fields: allow}\n" GRANTS SG("g", "phases: [dev], profile: loose"), "h", {.call = "POST /v1.41/configs/create", .body = "{'Name':'n','Power':1}"}, "allow grant g owner pay/dev"},
    {"  loose: {unknown_fields: allow}\n" GRANTS SG("g", "phases: [dev], profile: loose"), "h", {.call = "POST /v1.41/secrets/create", .body = "{'Name':'n','Driver':{'Name':'vault'}}"}, "deny must-default g"},
    {GRANTS SG("g", "phases: [dev], profile: unrestricted"), "h", {.call = "POST /v1.41/secrets/create", .body = "{'Name':'n','Driver':{'Name':'vault'},'Power':1}"}, "allow grant g owner pay/dev"},
    {GRANTS SG("g", "phases: [dev]"), "h", {.call = "POST /v1.41/secrets/s/update?version=3", .body = "{'Name':'n','Labels':{'t':'ml'}}", .objects = "[{'kind':'secret','ref':'s','team':'pay'}]"}, "deny owner g"},
    {GRANTS SG("g", "phases: [dev]"), "h", {.call = "POST /v1.41/configs/s/update?version=3", .body = "{'Name':'n','Labels':{'a':'b'}}", .objects = "[{'kind':'config','ref':'s','team':'pay'}]"}, "allow grant g"},
    {GRANTS SG("g", "phases: [dev]"), "h", {.call = "POST /v1.41/configs/s/update?version=3", .body = "{'Name':'n','Labels':{'a':'b'}}", .objects = "[{'kind':'config','ref':'s','labels':{'t':'pay'}}]"}, "deny owner g"},
    {GRANTS SG("g", "phases: [dev]"), "h", {.call = "POST /v1.41/swarm/join", .body = "{'RemoteAddrs':['x']}"}, "deny owner g"},
    {GRANTS SG("g", "phases: [dev], owner: any"), "h", {.call = "POST /v1.41/swarm/join", .body = "{'RemoteAddrs':['x'],'JoinToken':'t'}"}, "allow grant g"},
    {GRANTS SG("g", "phases: [dev], owner: any"), "h", {.call = "POST /v1.41/swarm/join", .body = "{'RemoteAddrs':['x'],'Power':1}"}, "deny profile g unknown_fields"},
    {GRANTS SG("g", "phases: [dev], owner: any"), "h", {.call = "POST /v1.41/swarm/update?version=1", .body = "{'CAConfig':{'ExternalCAs':[{'URL':'https://x'}]}}"}, "deny must-default g"},
    {GRANTS SG("g", "phases: [dev], owner: any"), "h", {.call = "POST /v1.41/swarm/init", .body = "{'Spec':{'TaskDefaults':{'LogDriver':{'Name':'syslog'}}}}"}, "deny must-default g"},
    {GRANTS SG("g", "phases: [dev], owner: any"), "h", {.call = "POST /v1.41/swarm/unlock", .body = "{'UnlockKey':'x'}"}, "allow grant g"},
    {GRANTS SG("g", "phases: [dev]"), "h", {.call = "DELETE /v1.41/nodes/n?force=1"}, "deny owner g"},
    {GRANTS SG("g", "phases: [dev]"), "h", {.call = "POST /v1.41/nodes/n/update?version=1", .body = "{'Role':'manager'}"}, "deny owner g"},
    {GRANTS SG("g", "phases: [dev], owner: any"), "h", {.call = "POST /v1.41/nodes/n/update?version=1", .body = "{'Role':'manager','Availability':'active'}"}, "allow grant g"},
    {GRANTS SG("g", "phases: [dev]"), "h", {.call = "POST /v1.41/plugins/pull?remote=x", .body = "[{'Name':'network','Value':['host']}]"}, "deny owner g"},
    {GRANTS SG("g", "phases: [dev], owner: any"), "h", {.call = "POST /v1.41/plugins/pull?remote=x", .body = "[{'Name':'network','Value':['host']}]"}, "allow grant g"},
    {GRANTS SG("g", "phases: [dev], owner: any"), "h", {.call = "POST /v1.41/plugins/pull?remote=x", .body = "{}"}, "deny ambiguous-request"},
    {GRANTS SG("g", "phases: [dev], owner: any"), "h", {.call = "POST /v1.41/plugins/p/set", .body = "['A=b']"}, "deny guard"},
    {GRANTS SG("g", "phases: [dev], owner: any"), "h", {.call = "POST /v1.41/plugins/p/enable?timeout=0"}, "allow grant g"},
    /* clang-format on */
