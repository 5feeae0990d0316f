// SCIMMY with its routers for Express: the library speaks SCIM, storing is the application's part.
// Here that is a Map with the indices a database would have; nothing is written to disk.
//   usage: node scimmy.js TOKEN

import { randomUUID } from "node:crypto";

import express from "express";
import SCIMMY from "scimmy";
import SCIMMYRouters from "scimmy-routers";

import { announce } from "./announce.js";

const token = process.argv[2];
const users = new Map();
const groups = new Map();
const idByUserName = new Map();
const groupsOfUser = new Map();

/** The library's filters fail at whoever lacks an attribute of whose parts they speak. */
const emptyParts = {
    name: {},
    emails: [],
    phoneNumbers: [],
    ims: [],
    photos: [],
    addresses: [],
    groups: [],
    entitlements: [],
    roles: [],
    x509Certificates: [],
    members: [],
    [SCIMMY.Schemas.EnterpriseUser.id]: { manager: {} },
};

const notFound = (resource) => new SCIMMY.Types.Error(404, null, `No resource ${resource.id}`);

/** What `instance` says, with the id and times of what it replaces. */
function stamped(instance, old) {
    const now = new Date();
    return {
        ...JSON.parse(JSON.stringify(instance)),
        id: old?.id ?? randomUUID(),
        meta: { created: old?.meta.created ?? now, lastModified: now },
    };
}

function shownUser(user) {
    const ids = [...(groupsOfUser.get(user.id) ?? [])];
    const membership = (id) => ({
        value: id,
        display: groups.get(id).displayName,
        type: "direct",
    });
    return { ...user, groups: ids.map(membership) };
}

/** The one user of `userName eq "…"`, the filter of every client before it creates somebody. */
function userNamed(filter) {
    const [only, ...others] = filter;
    if (others.length > 0 || Object.keys(only).join() !== "userName") return undefined;
    const [operator, name] = only.userName;
    if (operator !== "eq" || typeof name !== "string") return undefined;
    const user = users.get(idByUserName.get(name.toLowerCase()));
    return user ? [shownUser(user)] : [];
}

function matches(filter, resource) {
    try {
        return filter.match([resource]).length > 0;
    } catch {
        return filter.match([{ ...emptyParts, ...resource }]).length > 0;
    }
}

/** What a list is made of, each as `show` has it; the library takes the page out of it. */
function listed({ filter, constraints }, all, show) {
    const found = filter ? all.filter((each) => matches(filter, show(each))) : all;
    return firstPage(found, constraints).map(show);
}

/** The library brings all that it is given into its schema's form, so a first page is cut here. */
function firstPage(found, constraints) {
    if (!constraints || constraints.sortBy || (constraints.startIndex ?? 1) !== 1) return found;
    constraints.totalResults = found.length;
    return found.slice(0, constraints.count ?? 20);
}

function setMembership(group, before, after) {
    for (const { value } of before) groupsOfUser.get(value)?.delete(group.id);
    for (const { value } of after) {
        if (!groupsOfUser.has(value)) groupsOfUser.set(value, new Set());
        groupsOfUser.get(value).add(group.id);
    }
}

function readUser(resource) {
    if (!resource.id) {
        const named = resource.filter && userNamed(resource.filter);
        if (named) return named;
        return listed(resource, [...users.values()], shownUser);
    }
    if (!users.has(resource.id)) throw notFound(resource);
    return shownUser(users.get(resource.id));
}

function writeUser(resource, instance) {
    const old = users.get(resource.id);
    if (resource.id && !old) throw notFound(resource);
    const name = instance.userName.toLowerCase();
    const holder = idByUserName.get(name);
    if (holder !== undefined && holder !== old?.id)
        throw new SCIMMY.Types.Error(409, "uniqueness", `${instance.userName} is taken`);
    const user = stamped(instance, old);
    if (old) idByUserName.delete(old.userName.toLowerCase());
    idByUserName.set(name, user.id);
    users.set(user.id, user);
    return shownUser(user);
}

function deleteUser(resource) {
    const user = users.get(resource.id);
    if (!user) throw notFound(resource);
    for (const id of groupsOfUser.get(user.id) ?? []) {
        const group = groups.get(id);
        group.members = group.members.filter(({ value }) => value !== user.id);
    }
    groupsOfUser.delete(user.id);
    idByUserName.delete(user.userName.toLowerCase());
    users.delete(user.id);
}

function readGroup(resource) {
    if (!resource.id) return listed(resource, [...groups.values()], (group) => group);
    if (!groups.has(resource.id)) throw notFound(resource);
    return groups.get(resource.id);
}

function writeGroup(resource, instance) {
    const old = groups.get(resource.id);
    if (resource.id && !old) throw notFound(resource);
    const group = stamped(instance, old);
    const members = new Map((group.members ?? []).map((member) => [member.value, member]));
    for (const id of members.keys()) {
        if (!users.has(id) && !groups.has(id))
            throw new SCIMMY.Types.Error(400, "invalidValue", `No member ${id}`);
    }
    group.members = [...members.values()];
    setMembership(group, old?.members ?? [], group.members);
    groups.set(group.id, group);
    return group;
}

function deleteGroup(resource) {
    const group = groups.get(resource.id);
    if (!group) throw notFound(resource);
    setMembership(group, group.members, []);
    groups.delete(group.id);
}

SCIMMY.Resources.declare(SCIMMY.Resources.User)
    .extend(SCIMMY.Schemas.EnterpriseUser, false)
    .ingress(writeUser)
    .egress(readUser)
    .degress(deleteUser);
SCIMMY.Resources.declare(SCIMMY.Resources.Group)
    .ingress(writeGroup)
    .egress(readGroup)
    .degress(deleteGroup);

const app = express();
app.disable("x-powered-by");
app.use(
    "/scim/v2",
    new SCIMMYRouters({
        type: "bearer",
        baseUri: (request) => `http://${request.get("Host")}`,
        handler: (request) => {
            if (request.get("Authorization") !== `Bearer ${token}`) throw new Error("Wrong token");
            return true; // the token stands for a client, not for a person: there is no /Me
        },
    }),
);
const server = app.listen(0, "127.0.0.1", () => announce(server, "/scim/v2"));
