# SPDX-License-Identifier: MIT
"""gdb commands that show the tasks of leat programs, of a live process or of a core file.

    (gdb) source scripts/gdb/leat_gdb.py
    (gdb) leat tasks               every task by owner: what it waits for, and where
    (gdb) leat await-chain ID      the co_awaits of one task, the innermost first, with its coroutines

The program needs debug information (-g). Nothing is called in it.
"""
import gdb


def pointer_to(value, name):
    return value.cast(gdb.lookup_type(name).pointer())


def member(task, name):
    """A member of a task_state. By its place: gdb would look for the class that it really is, and warn."""
    field = next(field for field in task.type.target().strip_typedefs().fields() if field.name == name)
    return gdb.Value(int(task) + field.bitpos // 8).cast(field.type.pointer()).dereference()


def elements(list_value, name):
    """The elements of a leat::detail::small_list<name>, as pointers."""
    first = list_value["first_"]
    at = first
    while int(at) != 0:
        yield pointer_to(at, name)
        at = at["after"]
        if int(at) == int(first):
            break


def place(where):
    """(function, "file:line") of a std::source_location."""
    parts = where["_M_impl"]
    if int(parts) == 0:
        return "?", "?"
    return parts["_M_function_name"].string(), f"{parts['_M_file_name'].string()}:{int(parts['_M_line'])}"


def schedulers():
    at = gdb.lookup_global_symbol("leat::detail::first_observation")
    if at is None:
        raise gdb.GdbError("this program has no leat, or no debug information of it")
    at = at.value()
    while int(at) != 0:
        yield at["of_"].referenced_value()
        at = at["next_"]


def is_task(scope):
    return str(scope["kind"]).endswith("::task")


def task_of(scope):
    """The task_state that has this scope as its base."""
    task = gdb.lookup_type("leat::task_state")
    base = next(field for field in task.fields() if field.name == "leat::detail::scope_node")
    return gdb.Value(int(scope) - base.bitpos // 8).cast(task.pointer())


def scopes_below(root):
    """(depth, scope) of the tasks and of the groups with tasks below `root`, in the order of the tree."""
    waiting = [(0, child) for child in reversed(list(elements(root["children"], "leat::detail::scope_node")))]
    while waiting:
        depth, scope = waiting.pop()
        children = list(elements(scope["children"], "leat::detail::scope_node"))
        if is_task(scope) or any(is_task(child) for child in children):
            yield depth, scope
            depth += 1
        waiting += [(depth, child) for child in reversed(children)]


def roots(scheduler):
    return [scheduler["root_"], scheduler["background_"]]


def name_of(task):
    text = f"task {int(member(task, 'id'))}"
    name = unique_pointer(member(task, "name_"))
    if int(name) != 0:
        text += f' "{characters(name.dereference())}"'
    return text


def unique_pointer(value):
    """What a std::unique_ptr of libstdc++ points to."""
    found = head_of(value["_M_t"]["_M_t"])
    if found is None:
        raise gdb.GdbError("a std::unique_ptr that is not of libstdc++")
    return found


def head_of(value):
    """The pointer in a std::tuple of a pointer and a deleter, each somewhere in its bases."""
    for field in value.type.fields():
        if field.is_base_class:
            found = head_of(value[field])
            if found is not None:
                return found
        elif field.name == "_M_head_impl" and field.type.strip_typedefs().code == gdb.TYPE_CODE_PTR:
            return value[field]
    return None


def characters(string):
    return string["_M_dataplus"]["_M_p"].string(length=int(string["_M_string_length"]), errors="replace")


OPERATIONS = ("accept", "connect", "recv", "send", "readable", "writable")


def wait_of(task):
    leaf = member(task, "waiting")
    what = leaf["kind"]["name"].string()
    text = f"waits for {what}"
    if what in OPERATIONS:
        operation = pointer_to(leaf, "leat::operation")
        text += f" on descriptor {int(operation['descriptor'])}"
        if operation["whole"]:
            text += f", {int(operation['transferred'])} bytes done"
    elif what == "a mutex":
        mutex = pointer_to(leaf, "leat::mutex::lock_awaiter")["wanted_"]
        text += f" at {int(mutex):#x} held by task {int(mutex['holder_'])}"
    elif what == "another task":
        text += f", {name_of(pointer_to(leaf, 'leat::detail::join_wait')['target']['state_'])}"
    return text


def waits(task):
    return int(member(task, "waiting")) != 0


def is_queued(task):
    return int(member(task, "leat::list_link")["next"]) != 0


def state_of(task):
    if waits(task):
        return wait_of(task)
    phase = str(member(task, "phase")).rsplit("::", 1)[-1]
    started = "is ready" if is_queued(task) else "runs"
    words = {"unstarted": "is ready to start", "started": started, "unwinding": "unwinds"}
    return words.get(phase, phase)


def frames_of(task):
    """The frames of a task, the innermost first. None of one that runs: its leaf is where it waited last, and
    may be gone."""
    if not waits(task) and not is_queued(task):
        return
    at = member(task, "leaf")
    while int(at) != 0:
        yield at
        at = at["parent"]


class LeatCommand(gdb.Command):
    """Shows the tasks of a leat program."""

    def __init__(self):
        super().__init__("leat", gdb.COMMAND_DATA, gdb.COMPLETE_NONE, True)


class TasksCommand(gdb.Command):
    """leat tasks: every task by owner, what it waits for, and where it awaits."""

    def __init__(self):
        super().__init__("leat tasks", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        found = list(schedulers())
        for number, scheduler in enumerate(found, 1):
            if len(found) > 1:
                print(f"scheduler {number}")
            for root in roots(scheduler):
                for depth, scope in scopes_below(root):
                    self.show(depth, scope)

    @staticmethod
    def show(depth, scope):
        indent = "  " * depth
        if not is_task(scope):
            print(f"{indent}group")
            return
        task = task_of(scope)
        print(f"{indent}{name_of(task)} (spawned at {place(member(task, 'spawned_at'))[1]}) {state_of(task)}")
        for frame in frames_of(task):
            function, where = place(frame["where"])
            print(f"{indent}    in {function} at {where}")


class AwaitChainCommand(gdb.Command):
    """leat await-chain ID: the co_awaits of a task, the innermost first, and the frames of its coroutines."""

    def __init__(self):
        super().__init__("leat await-chain", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        if not argument.strip().isdigit():
            raise gdb.GdbError("usage: leat await-chain ID")
        wanted = int(argument)
        found = False
        for scheduler in schedulers():
            for root in roots(scheduler):
                for _, scope in scopes_below(root):
                    if is_task(scope) and int(member(task_of(scope), "id")) == wanted:
                        self.show(task_of(scope))
                        found = True
        if not found:
            raise gdb.GdbError(f"there is no task {wanted}")

    @staticmethod
    def show(task):
        print(f"{name_of(task)} {state_of(task)}")
        for number, frame in enumerate(frames_of(task)):
            function, where = place(frame["where"])
            # The promise comes behind the addresses of what resumes and what destroys the coroutine.
            address = int(frame) - 2 * gdb.lookup_type("void").pointer().sizeof
            resume = pointer_to(gdb.Value(address), "unsigned long").dereference()
            symbol = gdb.execute(f"info symbol {int(resume)}", to_string=True).split(" in section")[0].strip()
            print(f"#{number}  {function} at {where}")
            print(f"    frame {address:#x}, resumes in {symbol}")


LeatCommand()
TasksCommand()
AwaitChainCommand()
