# SPDX-License-Identifier: Apache-2.0
"""A directory of people, each in the group of one team."""

ROOT = "dc=acme,dc=com"


def ldif(people):
    """Of {"olga": "ops"}: olga in cn=ops,ou=groups,dc=acme,dc=com."""
    text = [f"dn: {ROOT}\nobjectClass: dcObject\nobjectClass: organization\n"
            "o: Acme\ndc: acme\n"]
    text += [f"dn: ou={ou},{ROOT}\nobjectClass: organizationalUnit\nou: {ou}\n"
             for ou in ("people", "groups")]
    text += [f"dn: uid={uid},ou=people,{ROOT}\nobjectClass: inetOrgPerson\n"
             f"uid: {uid}\ncn: {uid}\nsn: {uid}\n" for uid in people]
    for team in sorted(set(people.values())):
        members = "".join(f"member: uid={uid},ou=people,{ROOT}\n"
                          for uid in people if people[uid] == team)
        text.append(f"dn: cn={team},ou=groups,{ROOT}\n"
                    f"objectClass: groupOfNames\ncn: {team}\n{members}")
    return "\n".join(text)
