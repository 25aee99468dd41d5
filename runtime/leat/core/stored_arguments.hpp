// SPDX-License-Identifier: MIT
// stored_arguments: the types in which a new task stores the arguments that it was spawned with. Each is
// decayed, as std::thread does; but where the function takes a reference that would be bound to a converted
// temporary (a const std::string& given a literal), the converted value is stored, so that it lives as long
// as the task. stored_call keeps the function with them.
#pragma once

#include <concepts>
#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace leat::detail {

template <typename... T>
struct type_list {};

// The parameters of a callable, as a type_list; empty when they cannot be known, as of a generic lambda,
// whose parameters take the types of the arguments and convert nothing.
template <typename Function>
struct parameters_of {
    using type = type_list<>;
};
template <typename Function>
    requires requires { &Function::operator(); }
struct parameters_of<Function> : parameters_of<decltype(&Function::operator())> {};
template <typename Result, typename... P>
struct parameters_of<Result (*)(P...)> {
    using type = type_list<P...>;
};
template <typename Result, typename... P>
struct parameters_of<Result (*)(P...) noexcept> : parameters_of<Result (*)(P...)> {};
template <typename Result, typename Class, typename... P>
struct parameters_of<Result (Class::*)(P...)> : parameters_of<Result (*)(P...)> {};
template <typename Result, typename Class, typename... P>
struct parameters_of<Result (Class::*)(P...) const> : parameters_of<Result (*)(P...)> {};
template <typename Result, typename Class, typename... P>
struct parameters_of<Result (Class::*)(P...) noexcept> : parameters_of<Result (*)(P...)> {};
template <typename Result, typename Class, typename... P>
struct parameters_of<Result (Class::*)(P...) const noexcept> : parameters_of<Result (*)(P...)> {};

template <typename Parameter, typename Given>
inline constexpr bool binds_temporary =
#if __has_builtin(__reference_constructs_from_temporary)
    __reference_constructs_from_temporary(Parameter, Given&&);
#elif __has_builtin(__reference_binds_to_temporary)
    __reference_binds_to_temporary(Parameter, Given&&);
#else
    false;  // an old compiler cannot tell
#endif

// A type_list of what is kept of arguments of the decayed types `Given`.
template <typename Parameters, typename... Given>
struct stored_arguments {
    using type = type_list<Given...>;
};
template <typename... P, typename... Given>
    requires(sizeof...(P) == sizeof...(Given))
struct stored_arguments<type_list<P...>, Given...> {
    using type = type_list<std::conditional_t<binds_temporary<P, Given>, std::decay_t<P>, Given>...>;
};

// A callable with the arguments to call it with, once.
template <typename Function, typename... Arguments>
struct stored_call {
    template <typename F, typename... A>
    explicit stored_call(F&& function, A&&... arguments)
        : parts(std::forward<F>(function), std::forward<A>(arguments)...) {}
    decltype(auto) operator()() {
        return std::apply(
            [](Function& function, Arguments&... arguments) -> decltype(auto) {
                return std::invoke(function, std::move(arguments)...);
            },
            parts);
    }
    std::tuple<Function, Arguments...> parts;
};
template <typename Function>
struct stored_call<Function> {
    template <typename F>
    explicit stored_call(F&& given) : function(std::forward<F>(given)) {}
    decltype(auto) operator()() { return std::invoke(function); }
    Function function;
};

// Of what a new task keeps for itself.
template <typename... Given>
constexpr bool check_kept() noexcept {
    constexpr bool kept = (std::constructible_from<std::decay_t<Given>, Given> && ...);
    static_assert(kept, "what is not copied is moved into the new task: std::move(argument)");
    return kept;
}

}  // namespace leat::detail
