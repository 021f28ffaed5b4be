package interop

import (
	"errors"
	"reflect"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"

	"github.com/writ-trust/writ/spec/rule"
)

// money is an amount as a value of CEL. What compares two currencies is an error there too.
type money struct{ rule.Money }

var moneyType = types.NewObjectType("writ.Money", traits.ComparerType|traits.IndexerType)

var errCurrency = types.NewErr("amounts in different currencies")

func (m money) ConvertToNative(reflect.Type) (any, error) {
	return nil, errors.New("an amount has no native form")
}
func (m money) ConvertToType(ref.Type) ref.Val { return types.NewErr("an amount is not converted") }
func (m money) Type() ref.Type                 { return moneyType }
func (m money) Value() any                     { return m.Money }

func (m money) Equal(other ref.Val) ref.Val {
	order := m.Compare(other)
	if types.IsError(order) {
		return order
	}
	return types.Bool(order == types.IntZero)
}

func (m money) Compare(other ref.Val) ref.Val {
	n, ok := other.(money)
	if !ok {
		return types.NewErr("an amount is compared with something else")
	}
	order, err := m.Cmp(n.Money)
	if err != nil {
		return errCurrency
	}
	return types.Int(order)
}

func (m money) Get(name ref.Val) ref.Val {
	if name == types.String("currency") {
		return types.String(m.Currency)
	}
	return types.NewErr("an amount has no such member")
}

// celEnv is CEL with the action and amounts.
func celEnv() (*cel.Env, error) {
	options := []cel.EnvOption{
		cel.Variable("action", cel.MapType(cel.StringType, cel.DynType)),
		cel.Function("money", cel.Overload("money_text_text", []*cel.Type{cel.StringType, cel.StringType}, moneyType,
			cel.BinaryBinding(func(value, currency ref.Val) ref.Val {
				m, err := rule.ParseAmountOrZero(string(value.(types.String)), string(currency.(types.String)))
				if err != nil {
					return types.WrapErr(err)
				}
				return money{m}
			}))),
	}
	for _, op := range []string{operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals} {
		options = append(options, cel.Function(op, cel.Overload(op+"_money", []*cel.Type{moneyType, moneyType}, cel.BoolType)))
	}
	return cel.NewEnv(options...)
}

// strictNotEquals makes != the opposite of ==. In cel-go it is "not known to be equal": an error of a type's own Equal
// passes as different, which no limit may do.
func strictNotEquals(i interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
	call, ok := i.(interpreter.InterpretableCall)
	if !ok || call.Function() != operators.NotEquals {
		return i, nil
	}
	return notEquals{i, call.Args()}, nil
}

type notEquals struct {
	interpreter.InterpretableV2
	args []interpreter.InterpretableV2
}

func (n notEquals) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	left, right := n.args[0].Exec(frame), n.args[1].Exec(frame)
	for _, v := range []ref.Val{left, right} {
		if types.IsError(v) {
			return v
		}
	}
	equal := types.Equal(left, right)
	if types.IsError(equal) {
		return equal
	}
	return types.Bool(equal != types.True)
}
